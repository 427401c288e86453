/** What one run found, and its report. */

import * as React from 'react';
import { Bench } from './bench';
import { sandboxed } from './code';
import { CommandButton, FieldError, Figure, Problem, Sign, Table, Waiting, useAsked } from './parts';
import { IRunResult, IVerdict } from './types';
import * as words from './words';

interface IView {
  bench: Bench;
  study: string;
  run: string;
}

export function RunView(props: IView): JSX.Element {
  const { bench, study, run } = props;
  const { value, error, again } = useAsked(
    () => bench.api.result(study, run),
    [study, run]
  );
  const open = !value || value.summary.status === 'running';
  React.useEffect(() => {
    if (!open) {
      return;
    }
    // While it runs, what there is so far grows.
    const look = () => again();
    bench.runs.changed.connect(look);
    const stop = bench.watch(bench.runs, 0);
    return () => {
      bench.runs.changed.disconnect(look);
      stop();
    };
  }, [open]);
  if (!value) {
    return error ? (
      <Problem bench={bench} error={error} again={again} />
    ) : (
      <Waiting bench={bench} />
    );
  }
  return <Loaded bench={bench} found={value} />;
}

function Loaded(props: { bench: Bench; found: IRunResult }): JSX.Element {
  const { bench, found } = props;
  const { trans } = bench;
  const { summary } = found;
  const place = { study: summary.study, run: summary.run };
  const stale = summary.status === 'done' && summary.stale.length > 0;
  return (
    <div className="fwl-page">
      <header>
        <h1>{found.title}</h1>
        <p className="fwl-quiet">
          {summary.slug} · {trans.__('run')} <code>{summary.run}</code> · {summary.scale} ·{' '}
          {trans.__('version %1', found.version)} · {words.moment(summary.started)} ·{' '}
          {words.duration(summary.seconds)}
        </p>
        <div className="fwl-row fwl-wrap">
          <Sign
            sign={words.stateSign(stale ? 'stale' : summary.status, trans)}
            more={summary.status === 'running' ? words.percent(summary.fraction) : ''}
          />
          {stale && <span className="fwl-quiet">{summary.stale.join('; ')}</span>}
        </div>
        <div className="fwl-row fwl-wrap">
          {found.report && (
            <CommandButton bench={bench} command="open-report" args={place} accept />
          )}
          {found.report && (
            <a
              className="fwl-link"
              href={bench.api.reportUrl(place.study, place.run)}
              target="_blank"
              rel="noopener noreferrer"
            >
              {trans.__('Report in a browser tab')}
            </a>
          )}
          <CommandButton
            bench={bench}
            command="open-study"
            args={{ study: summary.study }}
            label={trans.__('The study')}
          />
          {summary.status !== 'running' && (
            <CommandButton bench={bench} command="purge-run" args={place} warn />
          )}
        </div>
      </header>
      {found.problem && (
        <div className="fwl-problem">
          <FieldError bench={bench} error={found.problem} />
        </div>
      )}
      <Verdicts bench={bench} found={found} />
      <Numbers bench={bench} found={found} />
      <Figures bench={bench} found={found} />
      <Facts bench={bench} found={found} />
    </div>
  );
}

interface IPart {
  bench: Bench;
  found: IRunResult;
}

function Verdicts(props: IPart): JSX.Element | null {
  const { bench, found } = props;
  if (!found.verdicts.length) {
    return null;
  }
  return (
    <section>
      <h2>{bench.trans.__('Verdicts')}</h2>
      <ul className="fwl-claims">
        {found.verdicts.map(verdict => (
          <Verdict key={verdict.claim} bench={bench} verdict={verdict} />
        ))}
      </ul>
    </section>
  );
}

function Verdict(props: { bench: Bench; verdict: IVerdict }): JSX.Element {
  const { bench, verdict } = props;
  const { trans } = bench;
  return (
    <li>
      <div className="fwl-row fwl-wrap">
        <b>{verdict.claim}</b>
        <Sign sign={words.answerSign(verdict.answer, trans)} />
        {verdict.effect && <span>{verdict.effect.text}</span>}
      </div>
      <div>{verdict.statement}</div>
      <div className="fwl-quiet">{verdict.reason}</div>
      {verdict.parts.length > 0 && (
        <details>
          <summary>
            {trans._n('%1 comparison', '%1 comparisons', verdict.parts.length)}
          </summary>
          <ul className="fwl-claims">
            {verdict.parts.map((part, i) => (
              <Verdict key={i} bench={bench} verdict={part} />
            ))}
          </ul>
        </details>
      )}
    </li>
  );
}

function Numbers(props: IPart): JSX.Element | null {
  const { bench, found } = props;
  const { trans } = bench;
  if (!found.numbers.length) {
    return null;
  }
  const reported = new Map(found.reported.filter(r => r.key).map(r => [r.key, r]));
  const label = trans.__('Numbers');
  return (
    <section>
      <h2>{label}</h2>
      <Table
        label={label}
        head={[
          trans.__('Number'),
          trans.__('Here'),
          trans.__('Unit'),
          trans.__('Reported'),
          trans.__('Counted')
        ]}
      >
        {found.numbers.map(number => {
          const paper = reported.get(number.name);
          return (
            <tr key={number.name} title={number.rule}>
              <th scope="row">{number.name}</th>
              <td className="fwl-number">{number.text}</td>
              <td>{number.unit}</td>
              <td>{paper ? paper.text || words.said(paper.value) : ''}</td>
              <td>
                {Object.entries(number.counts)
                  .map(([name, n]) => `${n} ${name}`)
                  .join(', ')}
              </td>
            </tr>
          );
        })}
      </Table>
    </section>
  );
}

function Figures(props: IPart): JSX.Element | null {
  const { bench, found } = props;
  const { summary } = found;
  if (!found.figures.length) {
    return null;
  }
  return (
    <section>
      <h2>{bench.trans.__('Figures')}</h2>
      <div className="fwl-figures">
        {found.figures.map(figure => (
          <Figure
            key={figure.name}
            bench={bench}
            study={summary.study}
            run={summary.run}
            name={figure.name}
            title={figure.title}
          />
        ))}
      </div>
    </section>
  );
}

function Facts(props: IPart): JSX.Element {
  const { bench, found } = props;
  const { trans } = bench;
  const tables: [string, [string, unknown][]][] = [
    [trans.__('Parameters'), Object.entries(found.parameters)],
    [
      trans.__('Time by step'),
      found.timings.map(({ step, seconds }) => [step, words.duration(seconds)])
    ],
    [trans.__('Environment'), Object.entries(found.environment)]
  ];
  return (
    <section>
      {found.notes.map((note, i) => (
        <p key={i} className="fwl-quiet">
          {note}
        </p>
      ))}
      {tables.map(
        ([name, rows], i) =>
          rows.length > 0 && (
            <details key={name} open={i === 0}>
              <summary>{name}</summary>
              <Table label={name} head={[trans.__('Name'), trans.__('Value')]}>
                {rows.map(([row, value]) => (
                  <tr key={row}>
                    <th scope="row">{row}</th>
                    <td>{words.said(value)}</td>
                  </tr>
                ))}
              </Table>
            </details>
          )
      )}
    </section>
  );
}

/** The report page, in a frame that runs nothing and may reach nothing. */
export function ReportView(props: IView): JSX.Element {
  const { bench, study, run } = props;
  const { value, error, again } = useAsked(
    () => bench.api.report(study, run),
    [study, run]
  );
  if (value === null) {
    return error ? (
      <Problem bench={bench} error={error} again={again} />
    ) : (
      <Waiting bench={bench} />
    );
  }
  return (
    <iframe
      className="fwl-report"
      title={bench.trans.__('Report of run %1 of %2', run, study)}
      sandbox=""
      referrerPolicy="no-referrer"
      srcDoc={sandboxed(value)}
    />
  );
}
