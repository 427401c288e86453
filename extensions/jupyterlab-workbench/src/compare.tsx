/** Runs side by side: what differs in what was asked, and in what was found. */

import * as React from 'react';
import { Bench } from './bench';
import { marks } from './interval';
import { CommandButton, Figure, Problem, Sign, Table, Waiting, useAsked } from './parts';
import { IComparison, INumber, IRow } from './types';
import * as words from './words';

export function CompareView(props: {
  bench: Bench;
  runs: readonly string[];
}): JSX.Element {
  const { bench, runs } = props;
  const { trans } = bench;
  const { value, error, again } = useAsked(() => bench.api.compare(runs), [
    runs.join()
  ]);
  if (!value) {
    return error ? (
      <Problem bench={bench} error={error} again={again} />
    ) : (
      <Waiting bench={bench} />
    );
  }
  const slugs = [...new Set(value.runs.map(run => run.summary.slug))];
  const args = { runs: [...runs] };
  return (
    <div className="fwl-page">
      <header>
        <h1>{trans.__('Comparison of %1 runs', value.runs.length)}</h1>
        <p className="fwl-quiet">{slugs.join(', ')}</p>
        {!value.comparable && (
          <div className="fwl-problem" role="note">
            {trans.__('Not comparable: %1.', value.why)}
          </div>
        )}
        <div className="fwl-row fwl-wrap">
          <CommandButton
            bench={bench}
            command="export-comparison"
            args={{ ...args, format: 'csv' }}
          />
          <CommandButton
            bench={bench}
            command="export-comparison"
            args={{ ...args, format: 'markdown' }}
          />
        </div>
      </header>
      <Head bench={bench} table={value} />
      <Verdicts bench={bench} table={value} />
      <Numbers bench={bench} table={value} />
      <Rows
        bench={bench}
        table={value}
        name={trans.__('Parameters')}
        rows={value.parameters}
      />
      <Rows
        bench={bench}
        table={value}
        name={trans.__('Environment')}
        rows={value.environment}
      />
      <Figures bench={bench} table={value} />
    </div>
  );
}

interface IPart {
  bench: Bench;
  table: IComparison;
}

function Head(props: IPart): JSX.Element {
  const { bench, table } = props;
  const { trans } = bench;
  const label = trans.__('The runs');
  return (
    <section>
      <h2>{label}</h2>
      <Table
        label={label}
        head={[
          trans.__('Name'),
          trans.__('Study'),
          trans.__('Run'),
          trans.__('Version'),
          trans.__('Began'),
          trans.__('Took'),
          <span className="fwl-hidden">{trans.__('Open')}</span>
        ]}
      >
        {table.runs.map(({ label, summary, version }) => (
          <tr key={label}>
            <th scope="row">{label}</th>
            <td>{summary.slug}</td>
            <td>
              <code>{summary.run}</code>
            </td>
            <td>{version}</td>
            <td>{words.moment(summary.started)}</td>
            <td>{words.duration(summary.seconds)}</td>
            <td>
              <CommandButton
                bench={bench}
                command="open-run"
                args={{ study: summary.study, run: summary.run }}
                label={trans.__('Open')}
                describe={label}
              />
            </td>
          </tr>
        ))}
      </Table>
    </section>
  );
}

function labels(table: IComparison): string[] {
  return table.runs.map(run => run.label);
}

function Verdicts(props: IPart): JSX.Element | null {
  const { bench, table } = props;
  const { trans } = bench;
  if (!table.verdicts.length) {
    return null;
  }
  const label = trans.__('Verdicts');
  const changed = table.verdicts.filter(row => row.changed).length;
  return (
    <section>
      <h2>{label}</h2>
      <p className="fwl-quiet">
        {changed
          ? trans._n('%1 verdict differs', '%1 verdicts differ', changed)
          : trans.__('All verdicts agree')}
      </p>
      <Table label={label} head={[trans.__('Claim'), ...labels(table), '']}>
        {table.verdicts.map(row => (
          <tr key={row.claim} className={row.changed ? 'fwl-mod-differs' : ''}>
            <th scope="row" title={row.statement}>
              {row.claim}
              <div className="fwl-quiet fwl-statement">{row.statement}</div>
            </th>
            {row.answers.map((answer, i) => (
              <td key={i} title={row.reasons[i] ?? ''}>
                {answer ? <Sign sign={words.answerSign(answer, trans)} /> : '–'}
              </td>
            ))}
            <td>{row.changed ? trans.__('differs') : ''}</td>
          </tr>
        ))}
      </Table>
    </section>
  );
}

function Numbers(props: IPart): JSX.Element | null {
  const { bench, table } = props;
  const { trans } = bench;
  if (!table.numbers.length) {
    return null;
  }
  const label = trans.__('Numbers');
  const head = [trans.__('Number'), ...labels(table)];
  if (table.comparable) {
    head.push(trans.__('On one axis'));
  }
  return (
    <section>
      <h2>{label}</h2>
      <Table label={label} head={head}>
        {table.numbers.map(row => (
          <tr key={row.name}>
            <th scope="row">
              {row.name} <span className="fwl-quiet">{row.unit}</span>
            </th>
            {row.values.map((found, i) => (
              <td key={i} className="fwl-number" title={found?.rule ?? ''}>
                {found ? found.text : '–'}
              </td>
            ))}
            {table.comparable && (
              <td>
                <Axis values={row.values} names={labels(table)} />
              </td>
            )}
          </tr>
        ))}
      </Table>
    </section>
  );
}

const WIDTH = 140;
const LINE = 12;

/** Values with their intervals, one line a run, in the order of the columns. The numbers beside it say the same. */
function Axis(props: {
  values: readonly (INumber | null)[];
  names: string[];
}): JSX.Element {
  const { values, names } = props;
  const x = (at: number) => 6 + at * (WIDTH - 12);
  return (
    <svg
      className="fwl-axis"
      width={WIDTH}
      height={LINE * values.length}
      aria-hidden="true"
    >
      {marks(values).map((mark, i) => {
        const y = LINE * (i + 0.5);
        return (
          mark && (
            <g key={i}>
              <title>{`${names[i]}: ${values[i]?.text}`}</title>
              {mark.low !== null && mark.high !== null && (
                <line x1={x(mark.low)} x2={x(mark.high)} y1={y} y2={y} />
              )}
              <circle cx={x(mark.at)} cy={y} r={3.5} />
            </g>
          )
        );
      })}
    </svg>
  );
}

function Rows(props: IPart & { name: string; rows: IRow[] }): JSX.Element | null {
  const { bench, table, name, rows } = props;
  const { trans } = bench;
  const [all, setAll] = React.useState(false);
  const differ = rows.filter(row => row.differs);
  const shown = all ? rows : differ;
  if (!rows.length) {
    return null;
  }
  return (
    <section>
      <h2>{name}</h2>
      <div className="fwl-row fwl-wrap">
        <span className="fwl-quiet">
          {differ.length
            ? trans.__('%1 of %2 differ', differ.length, rows.length)
            : trans.__('All %1 are the same', rows.length)}
        </span>
        {differ.length < rows.length && (
          <button
            className="jp-mod-styled fwl-button"
            aria-expanded={all}
            aria-label={trans.__('Show all: %1', name)}
            onClick={() => setAll(!all)}
          >
            {all ? trans.__('Only what differs') : trans.__('Show all')}
          </button>
        )}
      </div>
      {shown.length > 0 && (
        <Table label={name} head={[trans.__('Name'), ...labels(table)]}>
          {shown.map(row => (
            <tr key={row.name} className={row.differs ? 'fwl-mod-differs' : ''}>
              <th scope="row">{row.name}</th>
              {row.values.map((value, i) => (
                <td key={i}>{words.said(value)}</td>
              ))}
            </tr>
          ))}
        </Table>
      )}
    </section>
  );
}

function Figures(props: IPart): JSX.Element | null {
  const { bench, table } = props;
  const { trans } = bench;
  if (!table.figures.length) {
    return null;
  }
  return (
    <section>
      <h2>{trans.__('Figures')}</h2>
      {table.figures.map(figure => (
        <div key={figure.name}>
          <h3>{figure.title || figure.name}</h3>
          <div className="fwl-figures">
            {table.runs.map(({ summary, label }, i) =>
              figure.runs[i] ? (
                <Figure
                  key={label}
                  bench={bench}
                  study={summary.study}
                  run={summary.run}
                  name={figure.name}
                  title={label}
                />
              ) : (
                <p key={label} className="fwl-quiet">
                  {trans.__('%1 has no such figure.', label)}
                </p>
              )
            )}
          </div>
        </div>
      ))}
    </section>
  );
}
