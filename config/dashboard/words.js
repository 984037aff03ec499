'use strict';
/* Numbers, times and sizes in words, short enough for a table. */

const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const TENTHS = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

/** @param {number | null} value */
function count(value) {
  return value === null ? '–' : WHOLE.format(value);
}

/** @param {number | null} value a number for each second */
function rate(value) {
  if (value === null) return '–';
  return value > 0 && value < 10 ? TENTHS.format(value) : WHOLE.format(value);
}

/**
 * @param {number} many
 * @param {string} one
 * @param {string} [more]
 */
function plural(many, one, more = `${one}s`) {
  return `${count(many)} ${many === 1 ? one : more}`;
}

/** @param {number | null} seconds how long something took */
function latency(seconds) {
  if (seconds === null) return '–';
  const ms = seconds * 1000;
  if (ms < 0.1) return `${Math.round(ms * 1000)} µs`;
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
}

/** @param {number} seconds how long something has been, or will be */
function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 120) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return whole % 60 === 0 ? `${minutes} min` : `${minutes} min ${whole % 60} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${count(Math.floor(hours / 24))} d ${hours % 24} h`;
}

/** @param {number | null} bytes */
function size(bytes) {
  if (bytes === null) return '–';
  if (bytes < 1e6) return `${Math.round(bytes / 1e3)} kB`;
  if (bytes < 1e9) return `${Math.round(bytes / 1e6)} MB`;
  return `${(bytes / 1e9).toFixed(2)} GB`;
}

/** @param {number} epochMs */
function clock(epochMs) {
  return Number.isFinite(epochMs) ? CLOCK.format(epochMs) : '–';
}

/**
 * The first number at or above that is easy to read on an axis: 1, 2 or 5 with zeros.
 * @param {number} value
 */
function ceiling(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5].find((step) => step * power >= value) ?? 10) * power;
}
