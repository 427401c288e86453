/** The page of one study: what the paper claims, what was found here, and the form that runs it. */

import * as React from 'react';
import { Bench } from './bench';
import {
  CommandButton,
  JobProgress,
  Problem,
  Sign,
  Table,
  Waiting,
  useAsked,
  useSignals
} from './parts';
import { RunForm } from './runform';
import { RunTable } from './runtable';
import { IRunSummary, IStudyPage } from './types';
import * as words from './words';

export function StudyView(props: { bench: Bench; study: string }): JSX.Element {
  const { bench, study } = props;
  const asked = useAsked(() => bench.api.study(study), [study]);
  React.useEffect(() => {
    // The list is asked again whenever a job starts or ends; this page goes with it.
    const again = () => asked.again();
    bench.studies.changed.connect(again);
    return () => {
      bench.studies.changed.disconnect(again);
    };
  }, [study]);
  if (!asked.value) {
    return asked.error ? (
      <Problem bench={bench} error={asked.error} again={asked.again} />
    ) : (
      <Waiting bench={bench} />
    );
  }
  return <Loaded bench={bench} page={asked.value} />;
}

function Loaded(props: { bench: Bench; page: IStudyPage }): JSX.Element {
  const { bench, page } = props;
  const { trans } = bench;
  useSignals(bench.queueChanged, bench.settingsChanged);
  const job = page.state.job ? bench.queue.jobs.get(page.state.job) : undefined;
  const last = lastRun(page);
  const state = job && job.state === 'running' ? 'running' : page.state.status;
  return (
    <div className="fwl-page">
      <header>
        <h1>{page.title}</h1>
        <p className="fwl-quiet">
          {page.slug} · {words.pillarName(page.pillar, trans)} ·{' '}
          {page.arxiv ? (
            <a
              href={`https://arxiv.org/abs/${page.arxiv}`}
              target="_blank"
              rel="noopener noreferrer"
            >
              {page.source}
            </a>
          ) : (
            page.source
          )}{' '}
          · {trans.__('version %1', page.version)}
        </p>
        {page.description.split(/\n\s*\n/).map((paragraph, i) => (
          <p key={i} className="fwl-text">
            {paragraph}
          </p>
        ))}
        <div className="fwl-row fwl-wrap">
          <Sign sign={words.stateSign(state, trans)} />
          <Verdicts page={page} bench={bench} />
          {page.state.reason && (
            <span className="fwl-quiet">{page.state.reason}</span>
          )}
        </div>
        {job && <JobProgress job={job} bench={bench} />}
        <div className="fwl-row fwl-wrap">
          {job && (
            <CommandButton bench={bench} command="cancel-job" args={{ job: job.id }} />
          )}
          <CommandButton
            bench={bench}
            command="open-notebook"
            args={{ study: page.name }}
          />
          {last && (
            <CommandButton
              bench={bench}
              command="open-run"
              args={{ study: page.name, run: last.run }}
              label={trans.__('Open last result')}
            />
          )}
          {last?.status === 'done' && (
            <CommandButton
              bench={bench}
              command="open-report"
              args={{ study: page.name, run: last.run }}
            />
          )}
        </div>
      </header>
      {page.error && (
        <div className="fwl-problem" role="alert">
          {page.error}
        </div>
      )}
      <div className="fwl-columns">
        <div>
          <Claims page={page} bench={bench} />
          <Reported page={page} bench={bench} />
          <Runs page={page} bench={bench} />
          <Outline page={page} bench={bench} />
        </div>
        <aside aria-label={trans.__('Run it')}>
          <section className="fwl-card" data-fwl="form">
            <h2>{trans.__('Run it')}</h2>
            {page.error ? null : <RunForm bench={bench} study={page} />}
          </section>
          <Needs page={page} bench={bench} />
        </aside>
      </div>
    </div>
  );
}

/** The latest run with a result; where there is none, the latest that ended without one. */
export function lastRun(page: IStudyPage): IRunSummary | undefined {
  const ended = page.runs.filter(run => run.status !== 'running');
  return ended.find(run => run.status === 'done') ?? ended[0];
}

interface IPart {
  page: IStudyPage;
  bench: Bench;
}

function Verdicts(props: IPart): JSX.Element {
  const { page, bench } = props;
  return (
    <>
      {words.ANSWERS.filter(answer => page.state.counts[answer]).map(answer => (
        <Sign
          key={answer}
          sign={{
            ...words.answerSign(answer, bench.trans),
            word: `${page.state.counts[answer]} ${words.answerSign(answer, bench.trans).word}`
          }}
        />
      ))}
    </>
  );
}

function Claims(props: IPart): JSX.Element {
  const { page, bench } = props;
  const { trans } = bench;
  const answers = new Map(page.state.verdicts.map(v => [v.claim, v.answer]));
  return (
    <section>
      <h2>{trans.__('Claims')}</h2>
      {page.claims_unread && (
        <p className="fwl-quiet">
          {trans.__('The claims cannot be listed here: %1', page.claims_unread)}
        </p>
      )}
      {page.claims.length > 0 && (
        <ul className="fwl-claims">
          {page.claims.map(claim => {
            const answer = answers.get(claim.id);
            return (
              <li key={claim.id}>
                <div className="fwl-row fwl-wrap">
                  <b>{claim.id}</b>
                  <Sign
                    sign={
                      answer
                        ? words.answerSign(answer, trans)
                        : { sign: '○', word: trans.__('no verdict yet'), tone: 'quiet' }
                    }
                  />
                  {claim.ours && (
                    <span className="fwl-quiet">
                      {trans.__("our own check, not the paper's")}
                    </span>
                  )}
                </div>
                <div>{claim.statement}</div>
                {claim.parts.length > 0 && (
                  <details>
                    <summary>
                      {trans._n('%1 comparison', '%1 comparisons', claim.parts.length)}
                    </summary>
                    <ul>
                      {claim.parts.map(part => (
                        <li key={part}>{part}</li>
                      ))}
                    </ul>
                  </details>
                )}
              </li>
            );
          })}
        </ul>
      )}
    </section>
  );
}

function Reported(props: IPart): JSX.Element | null {
  const { page, bench } = props;
  const { trans } = bench;
  if (!page.reported.length) {
    return null;
  }
  const label = trans.__('What the paper reports');
  return (
    <section>
      <h2>{label}</h2>
      <Table
        label={label}
        head={[
          trans.__('Measure'),
          trans.__('Data'),
          trans.__('Reported'),
          trans.__('Where')
        ]}
      >
        {page.reported.map((row, i) => (
          <tr key={i}>
            <th scope="row">{row.metric}</th>
            <td>{row.dataset}</td>
            <td>{row.text || `${words.said(row.value)} ${row.unit}`}</td>
            <td>{row.place}</td>
          </tr>
        ))}
      </Table>
    </section>
  );
}

function Needs(props: IPart): JSX.Element | null {
  const { page, bench } = props;
  const { trans } = bench;
  if (!page.data.length && !page.needs.length) {
    return null;
  }
  return (
    <section>
      <h2>{trans.__('What it needs')}</h2>
      <ul className="fwl-needs">
        {page.data.map(need => (
          <li key={need.name}>
            <b>{need.name}</b>{' '}
            <Sign
              sign={
                need.there
                  ? { sign: '✓', word: trans.__('there'), tone: 'good' }
                  : need.there === null
                    ? { sign: '?', word: trans.__('not known'), tone: 'quiet' }
                    : { sign: '✗', word: trans.__('missing'), tone: 'bad' }
              }
            />
            <div className="fwl-quiet">{need.why}</div>
          </li>
        ))}
        {page.needs.map(need => (
          <li key={need} className="fwl-quiet">
            {need}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Runs(props: IPart): JSX.Element | null {
  const { page, bench } = props;
  if (!page.runs.length) {
    return null;
  }
  return (
    <section>
      <h2>{bench.trans.__('Runs')}</h2>
      <RunTable bench={bench} runs={page.runs} single />
    </section>
  );
}

function Outline(props: IPart): JSX.Element | null {
  const { page, bench } = props;
  if (!page.outline.length) {
    return null;
  }
  return (
    <section>
      <h2>{bench.trans.__('The notebook')}</h2>
      <ol>
        {page.outline.map((heading, i) => (
          <li key={i}>{heading}</li>
        ))}
      </ol>
    </section>
  );
}
