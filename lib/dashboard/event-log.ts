/** The events that the page has, and how one is shown. */
import type { EventLine } from '../admin/answers.ts';
import { make } from './elements.ts';
import { clock } from './words.ts';

/** How many events are kept. */
const MAX_EVENTS = 200;

/** From the least severe. */
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];

export interface LogEvent {
  readonly time: string;
  readonly level: string;
  readonly pid: number;
  readonly event: string;
  readonly msg: string;
  readonly fields: EventLine;
}

/** An event, and a number that identifies its element. */
interface KeptEvent {
  readonly row: number;
  readonly event: LogEvent;
}

/** By their JSON, which tells events that were sent again. */
const kept = new Map<string, KeptEvent>();
let rows = 0;

/** Keeps an event. @returns it; null if it is kept already */
export function keepEvent(line: EventLine): LogEvent | null {
  const event = readEvent(line);
  const text = JSON.stringify(event);
  if (kept.has(text)) return null;
  kept.set(text, { row: ++rows, event });
  for (const oldest of kept.keys()) {
    if (kept.size <= MAX_EVENTS) break;
    kept.delete(oldest);
  }
  return event;
}

export function hasEvents(): boolean {
  return kept.size > 0;
}

/** A list of events, the newest first; null when none is wanted. */
export function eventsList(isWanted: (event: LogEvent) => boolean): HTMLElement | null {
  const wanted = [...kept.values()].filter(({ event }) => isWanted(event)).toReversed();
  if (wanted.length === 0) return null;
  return make('ol', { class: 'events' }, ...wanted.map(({ row, event }) => eventItem(row, event)));
}

/** Whether an event is of this level or above. */
export function isAtLeast(event: LogEvent, level: string): boolean {
  return LEVELS.indexOf(levelOf(event)) >= LEVELS.indexOf(level);
}

function readEvent({ time, level, pid, event, msg, ...fields }: EventLine): LogEvent {
  return {
    time: textOf(time),
    level: textOf(level),
    pid: Number(pid),
    event: textOf(event),
    msg: textOf(msg),
    fields,
  };
}

function textOf(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function levelOf({ level }: LogEvent): string {
  return LEVELS.includes(level) ? level : 'info';
}

function eventItem(row: number, event: LogEvent): HTMLElement {
  const { time, level, pid, event: name, msg, fields } = event;
  return make(
    'li',
    { 'data-row': row, class: `level-${levelOf(event)}` },
    make('time', { datetime: time, title: time }, clock(Date.parse(time))),
    make('span', { class: 'mark' }, level),
    make(
      'div',
      {},
      make('span', { class: 'name' }, msg),
      make(
        'details',
        {},
        make('summary', {}, name),
        make(
          'dl',
          { class: 'fields' },
          ...Object.entries({ pid, ...fields }).flatMap(([field, value]) => [
            make('dt', { class: 'name' }, field),
            make('dd', { class: 'name' }, textOf(value)),
          ]),
        ),
      ),
    ),
  );
}
