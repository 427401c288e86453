/** Runs as rows that can be opened and chosen for a comparison, wherever they were started. */

import * as React from 'react';
import { Bench } from './bench';
import { CommandButton, Sign, Table, Verdicts } from './parts';
import { IRunSummary } from './types';
import * as words from './words';

/** At most so many runs are set side by side; the server has the same limit. */
const MOST = 8;

export function key(run: IRunSummary): string {
  return `${run.study}/${run.run}`;
}

export function RunTable(props: {
  bench: Bench;
  runs: readonly IRunSummary[];
  single?: boolean;
}): JSX.Element {
  const { bench, runs, single } = props;
  const { trans } = bench;
  const [chosen, setChosen] = React.useState<readonly string[]>([]);
  const there = chosen.filter(name => runs.some(run => key(run) === name));
  const choose = (name: string, on: boolean) =>
    setChosen(on ? [...there, name] : there.filter(other => other !== name));
  const head = [
    <span className="fwl-hidden">{trans.__('Compare')}</span>,
    single ? '' : trans.__('Study'),
    trans.__('Run'),
    trans.__('State'),
    trans.__('Scale'),
    trans.__('Verdicts'),
    trans.__('Began'),
    trans.__('Took'),
    trans.__('From'),
    <span className="fwl-hidden">{trans.__('Open')}</span>
  ].filter(name => name !== '');
  return (
    <>
      <div className="fwl-row fwl-wrap">
        <CommandButton
          bench={bench}
          command="compare-runs"
          args={{ runs: [...there] }}
          disabled={there.length < 2}
          label={
            there.length > 1
              ? trans.__('Compare %1 runs', there.length)
              : trans.__('Compare runs')
          }
        />
        <span className="fwl-quiet" role="status">
          {there.length >= MOST
            ? trans.__('%1 runs are the most that fit side by side', MOST)
            : there.length < 2
              ? trans.__('Tick two or more to compare them')
              : ''}
        </span>
      </div>
      <Table label={trans.__('Runs')} head={head}>
        {runs.map(run => (
          <Row
            key={key(run)}
            bench={bench}
            run={run}
            single={Boolean(single)}
            chosen={there.includes(key(run))}
            full={there.length >= MOST}
            choose={choose}
          />
        ))}
      </Table>
    </>
  );
}

function Row(props: {
  bench: Bench;
  run: IRunSummary;
  single: boolean;
  chosen: boolean;
  full: boolean;
  choose: (name: string, on: boolean) => void;
}): JSX.Element {
  const { bench, run, single, chosen, full, choose } = props;
  const { trans } = bench;
  const stale = run.status === 'done' && run.stale.length > 0;
  const status = stale ? 'stale' : run.status;
  const running = run.status === 'running';
  const why = stale
    ? run.stale.join('; ')
    : running
      ? [words.percent(run.fraction), run.step].filter(Boolean).join(' ')
      : '';
  return (
    <tr>
      <td>
        <input
          type="checkbox"
          aria-label={trans.__('Compare run %1 of %2', run.run, run.slug)}
          disabled={run.status !== 'done' || (full && !chosen)}
          checked={chosen}
          onChange={event => choose(key(run), event.target.checked)}
        />
      </td>
      {!single && <th scope="row">{run.slug}</th>}
      <td>
        <code>{run.run}</code>
      </td>
      <td title={why}>
        <Sign sign={words.stateSign(status, trans)} />
        {running && <div className="fwl-quiet">{why}</div>}
      </td>
      <td>{run.scale}</td>
      <td>
        <Verdicts counts={run.counts} bench={bench} />
      </td>
      <td>{words.moment(run.started)}</td>
      <td>{words.duration(run.seconds)}</td>
      <td>
        {run.job !== null
          ? trans.__('job %1', run.job)
          : run.owner ?? trans.__('terminal')}
      </td>
      <td>
        <CommandButton
          bench={bench}
          command="open-run"
          args={{ study: run.study, run: run.run }}
          label={trans.__('Open')}
          describe={trans.__('run %1 of %2', run.run, run.slug)}
        />
      </td>
    </tr>
  );
}
