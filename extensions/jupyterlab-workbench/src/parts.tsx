/** Small pieces that several views use. */

import { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { ISignal } from '@lumino/signaling';
import * as React from 'react';
import { ProblemError } from './api';
import { Bench } from './bench';
import { ID } from './ids';
import { remaining } from './queue';
import { Counts, IFieldError, IJob, IProblem } from './types';
import * as words from './words';

/** Draw again whenever one of these signals says so. */
export function useSignals(...signals: ISignal<any, any>[]): void {
  const [, draw] = React.useReducer((n: number) => n + 1, 0);
  React.useEffect(() => {
    signals.forEach(signal => signal.connect(draw));
    return () => signals.forEach(signal => signal.disconnect(draw));
  }, signals);
}

export interface IAsked<T> {
  value: T | null;
  error: Error | null;
  again: () => void;
}

/** The latest answer to a question; asked again when one of `because` changes. The last answer stays until then. */
export function useAsked<T>(
  ask: () => Promise<T>,
  because: React.DependencyList
): IAsked<T> {
  const [state, setState] = React.useState<{ value: T | null; error: Error | null }>(
    { value: null, error: null }
  );
  const [turn, again] = React.useReducer((n: number) => n + 1, 0);
  React.useEffect(() => {
    let current = true;
    ask().then(
      value => current && setState({ value, error: null }),
      error => current && setState(before => ({ ...before, error }))
    );
    return () => {
      current = false;
    };
  }, [...because, turn]);
  return { ...state, again };
}

export function Sign(props: { sign: words.ISign; more?: string }): JSX.Element {
  const { sign, word, tone } = props.sign;
  return (
    <span className={`fwl-sign fwl-mod-${tone}`}>
      <span aria-hidden="true">{sign}</span> {word}
      {props.more ? ` ${props.more}` : ''}
    </span>
  );
}

/** Verdicts as signs with numbers; their words are read out and shown on hover. */
export function Verdicts(props: { counts: Counts; bench: Bench }): JSX.Element | null {
  const { counts, bench } = props;
  const found = words.ANSWERS.filter(answer => counts[answer]);
  if (!found.length) {
    return null;
  }
  const all = words.summary(counts, bench.trans);
  return (
    <span className="fwl-verdicts" title={all}>
      <span className="fwl-hidden">{all}</span>
      {found.map(answer => {
        const { sign, tone } = words.answerSign(answer, bench.trans);
        return (
          <span key={answer} aria-hidden="true" className={`fwl-mod-${tone}`}>
            {sign}
            {counts[answer]}
          </span>
        );
      })}
    </span>
  );
}

/** What went wrong, in words, and what to do. */
export function Problem(props: {
  error: Error;
  bench: Bench;
  again?: () => void;
}): JSX.Element {
  const { error, bench, again } = props;
  const said: Partial<IProblem> =
    error instanceof ProblemError
      ? error.problem
      : { detail: bench.trans.__('The server does not answer.') };
  return (
    <div className="fwl-problem" role="alert">
      <FieldError
        error={{ ...said, what: said.detail ?? error.message }}
        bench={bench}
      />
      {again && (
        <button className="jp-mod-styled fwl-button" onClick={again}>
          {bench.trans.__('Try again')}
        </button>
      )}
    </div>
  );
}

export function FieldError(props: { error: IFieldError; bench: Bench }): JSX.Element {
  const { error, bench } = props;
  const rows: [string, string | null | undefined][] = [
    [bench.trans.__('given'), error.given],
    [bench.trans.__('expected'), error.expected],
    [bench.trans.__('do'), error.do]
  ];
  return (
    <>
      <div>{error.what}</div>
      {rows.map(
        ([name, text]) =>
          text && (
            <div key={name} className="fwl-quiet">
              {name}: {text}
            </div>
          )
      )}
    </>
  );
}

export function Waiting(props: { bench: Bench }): JSX.Element {
  return (
    <div className="fwl-waiting" role="status">
      {props.bench.trans.__('Loading…')}
    </div>
  );
}

export interface ICommandButton {
  bench: Bench;
  command: string;
  args?: ReadonlyPartialJSONObject;
  label?: string;
  describe?: string;
  accept?: boolean;
  warn?: boolean;
  disabled?: boolean;
}

/** A button that is a command: its label, its caption and whether it can be pressed come from there. */
export function CommandButton(props: ICommandButton): JSX.Element {
  const { bench, args } = props;
  const { commands } = bench;
  const id = `${ID}:${props.command}`;
  const label = props.label ?? commands.label(id, args);
  const look = props.accept ? 'jp-mod-accept' : props.warn ? 'jp-mod-warn' : '';
  return (
    <button
      className={`jp-mod-styled fwl-button ${look}`}
      title={commands.caption(id, args) || label}
      aria-label={props.describe ? `${label} ${props.describe}` : undefined}
      disabled={props.disabled || !commands.isEnabled(id, args)}
      onClick={() => void commands.execute(id, args)}
    >
      {label}
    </button>
  );
}

/** How far a job is. The step is said to screen readers when it changes, the percent is not. */
export function JobProgress(props: { job: IJob; bench: Bench }): JSX.Element {
  const { job, bench } = props;
  const { trans } = bench;
  const { fraction, cell, cells, line, step } = job.progress;
  const seconds = useSeconds(job);
  const left = remainingWords(job, seconds, bench);
  const cellWords =
    cell !== null && cells !== null
      ? trans.__('cell %1 of %2', Math.min(cell + 1, cells), cells)
      : '';
  return (
    <div className="fwl-progress">
      <progress
        aria-label={trans.__('Progress of %1', job.slug)}
        max={1}
        {...(fraction === null ? {} : { value: fraction })}
      />
      <div className="fwl-quiet">
        <span role="status">
          {job.cancelling
            ? trans.__('being cancelled')
            : line || step || trans.__('starting')}
        </span>
        <span>
          {[words.percent(fraction), cellWords, words.duration(seconds), left]
            .filter(Boolean)
            .join(' · ')}
        </span>
      </div>
    </div>
  );
}

/** Seconds since a job began, ticking between two words of the server. */
function useSeconds(job: IJob): number | null {
  const told = React.useRef({ seconds: job.seconds, at: Date.now() });
  const [, tick] = React.useReducer((n: number) => n + 1, 0);
  if (told.current.seconds !== job.seconds) {
    told.current = { seconds: job.seconds, at: Date.now() };
  }
  const running = job.state === 'running';
  React.useEffect(() => {
    if (!running) {
      return;
    }
    const timer = window.setInterval(tick, 1000);
    return () => window.clearInterval(timer);
  }, [running]);
  const { seconds, at } = told.current;
  return seconds === null ? null : seconds + (Date.now() - at) / 1000;
}

function remainingWords(job: IJob, seconds: number | null, bench: Bench): string {
  const left = remaining(job, seconds);
  return left === null ? '' : bench.trans.__('about %1 left', words.duration(left));
}

/** A picture of a run, fetched as all else and shown as a picture, so that nothing in it can run. */
export function Figure(props: {
  bench: Bench;
  study: string;
  run: string;
  name: string;
  title: string;
}): JSX.Element {
  const { bench, study, run, name, title } = props;
  const [url, setUrl] = React.useState('');
  const [error, setError] = React.useState<Error | null>(null);
  React.useEffect(() => {
    let made = '';
    let current = true;
    bench.api.figure(study, run, name).then(
      blob => {
        if (current) {
          made = URL.createObjectURL(blob);
          setUrl(made);
        }
      },
      problem => current && setError(problem)
    );
    return () => {
      current = false;
      URL.revokeObjectURL(made);
    };
  }, [study, run, name]);
  return (
    <figure className="fwl-figure">
      {error ? <Problem bench={bench} error={error} /> : null}
      {url ? <img src={url} alt={title || name} /> : null}
      <figcaption>{title || name}</figcaption>
    </figure>
  );
}

/** A table that scrolls by itself where the window is narrow. */
export function Table(props: {
  label: string;
  head: React.ReactNode[];
  children: React.ReactNode;
}): JSX.Element {
  return (
    <div className="fwl-scroll" tabIndex={0} role="group" aria-label={props.label}>
      <table className="fwl-table">
        <thead>
          <tr>
            {props.head.map((name, i) => (
              <th key={i} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{props.children}</tbody>
      </table>
    </div>
  );
}
