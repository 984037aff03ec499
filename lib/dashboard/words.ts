/** Formats numbers, durations and sizes as short text for tables. */

const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const TENTHS = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

export function count(value: number | null): string {
  return value === null ? '–' : WHOLE.format(value);
}

/** @param value per second */
export function rate(value: number | null): string {
  if (value === null) return '–';
  // Not 0: one error in a minute is one.
  if (value > 0 && value < 0.05) return '< 0.1';
  return value > 0 && value < 10 ? TENTHS.format(value) : WHOLE.format(value);
}

/** A count and its noun: `1 error`, `2 errors`. */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** A response time. */
export function latency(seconds: number | null): string {
  if (seconds === null) return '–';
  const ms = seconds * 1000;
  if (ms < 0.1) return `${Math.round(ms * 1000)} µs`;
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
}

/** An age, an uptime, or the time that is left; in whole seconds. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 120) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return whole % 60 === 0 ? `${minutes} min` : `${minutes} min ${whole % 60} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${count(Math.floor(hours / 24))} d ${hours % 24} h`;
}

export function size(bytes: number | null): string {
  if (bytes === null) return '–';
  if (bytes < 1e6) return `${Math.round(bytes / 1e3)} kB`;
  if (bytes < 1e9) return `${Math.round(bytes / 1e6)} MB`;
  return `${(bytes / 1e9).toFixed(2)} GB`;
}

/** The time of day in the browser's time zone. */
export function clock(epochMs: number): string {
  return Number.isFinite(epochMs) ? CLOCK.format(epochMs) : '–';
}
