/** How states, sizes and times are said. Every state is a word and a sign: neither colour nor shape alone carries it. */

import { Answer, Counts, IStatus } from './types';

/** The part of JupyterLab's translation bundle that is used here. */
export interface ITrans {
  __(text: string, ...values: any[]): string;
  _n(one: string, many: string, n: number, ...values: any[]): string;
}

export interface ISign {
  sign: string;
  word: string;
  tone: 'quiet' | 'good' | 'bad' | 'warn' | 'busy';
}

export function stateSign(status: string, trans: ITrans): ISign {
  switch (status) {
    case 'never run':
      return { sign: '○', word: trans.__('never run'), tone: 'quiet' };
    case 'queued':
      return { sign: '◔', word: trans.__('queued'), tone: 'busy' };
    case 'running':
      return { sign: '▶', word: trans.__('running'), tone: 'busy' };
    case 'done':
      return { sign: '●', word: trans.__('done'), tone: 'good' };
    case 'stale':
      return { sign: '◐', word: trans.__('stale'), tone: 'warn' };
    case 'failed':
      return { sign: '✖', word: trans.__('failed'), tone: 'bad' };
    case 'out of memory':
      return { sign: '✖', word: trans.__('out of memory'), tone: 'bad' };
    case 'died':
      return { sign: '✖', word: trans.__('died'), tone: 'bad' };
    case 'lost':
      return { sign: '✖', word: trans.__('lost'), tone: 'bad' };
    case 'stopped':
      return { sign: '■', word: trans.__('stopped'), tone: 'warn' };
    case 'cancelled':
      return { sign: '■', word: trans.__('cancelled'), tone: 'warn' };
    default:
      return { sign: '·', word: status, tone: 'quiet' };
  }
}

export const ANSWERS: Answer[] = [
  'supported',
  'refuted',
  'undecided',
  'not testable here'
];

export function answerSign(answer: string, trans: ITrans): ISign {
  switch (answer) {
    case 'supported':
      return { sign: '✓', word: trans.__('supported'), tone: 'good' };
    case 'refuted':
      return { sign: '✗', word: trans.__('refuted'), tone: 'bad' };
    case 'undecided':
      return { sign: '?', word: trans.__('undecided'), tone: 'warn' };
    case 'not testable here':
      return { sign: '–', word: trans.__('not testable here'), tone: 'quiet' };
    default:
      return { sign: '·', word: answer, tone: 'quiet' };
  }
}

/** Verdicts of a study in words: "5 supported, 2 undecided". */
export function summary(counts: Counts, trans: ITrans): string {
  const known = ANSWERS.filter(answer => counts[answer]);
  const others = Object.keys(counts).filter(
    name => counts[name] && !ANSWERS.includes(name as Answer)
  );
  return [...known, ...others]
    .map(name => `${counts[name]} ${answerSign(name, trans).word}`)
    .join(', ');
}

export function pillarName(pillar: string, trans: ITrans): string {
  switch (pillar) {
    case 'recognition':
      return trans.__('Recognition');
    case 'attributes':
      return trans.__('Attributes');
    case 'probing':
      return trans.__('Probing');
    case 'spoofing':
      return trans.__('Spoofing');
    case '':
      return trans.__('Other');
    default:
      return pillar;
  }
}

/** Seconds as one would say them: 0.4 s, 12 s, 3 min 05 s, 2 h 10 min. */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !isFinite(seconds)) {
    return '';
  }
  if (seconds < 9.95) {
    return `${Math.max(0, seconds).toFixed(1)} s`;
  }
  const whole = Math.round(seconds);
  if (whole < 60) {
    return `${whole} s`;
  }
  const two = (n: number) => String(n).padStart(2, '0');
  if (whole < 3600) {
    return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  }
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

export function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value < 10 && unit ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** A moment as date and minute of this browser's clock. */
export function moment(seconds: number | null | undefined): string {
  if (!seconds) {
    return '';
  }
  const at = new Date(seconds * 1000);
  const two = (n: number) => String(n).padStart(2, '0');
  return (
    `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ` +
    `${two(at.getHours())}:${two(at.getMinutes())}`
  );
}

export function percent(fraction: number | null | undefined): string {
  return fraction === null || fraction === undefined
    ? ''
    : `${Math.round(100 * Math.min(1, Math.max(0, fraction)))} %`;
}

/** Any value of a table cell as text. */
export function said(value: unknown): string {
  if (value === null || value === undefined) {
    return '–';
  }
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** The line of the status bar. */
export function machine(status: IStatus, trans: ITrans): string {
  const parts = [trans.__('CPU %1 %', Math.round(status.cpu.percent))];
  for (const gpu of status.gpus) {
    const use = gpu.percent === null ? '' : ` ${Math.round(gpu.percent)} %`;
    parts.push(
      `GPU${gpu.index}${use} ${bytes(gpu.memory_used)}/${bytes(gpu.memory_total)}`
    );
  }
  parts.push(trans.__('%1 free', bytes(status.cpu.memory_available)));
  const waiting = status.counts.queued || 0;
  const running = status.counts.running || 0;
  if (running || waiting) {
    parts.push(trans.__('%1 running', running));
  }
  if (waiting) {
    parts.push(trans.__('%1 queued', waiting));
  }
  return parts.join(' · ');
}
