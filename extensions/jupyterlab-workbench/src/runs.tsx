/** The queue and the history: what runs, what waits, what was run here or in a terminal. */

import * as React from 'react';
import { Bench } from './bench';
import { CommandButton, FieldError, JobProgress, Problem, Sign, Verdicts, Waiting, useSignals } from './parts';
import { active, ended, grown, order } from './queue';
import { RunTable } from './runtable';
import { IJob } from './types';
import * as words from './words';

const RECENT = 5;
const LOG_SECONDS = 1.5;

export function RunsView(props: { bench: Bench; job?: number }): JSX.Element {
  const { bench, job } = props;
  const { trans } = bench;
  const [all, setAll] = React.useState(false);
  useSignals(bench.queueChanged, bench.runs.changed);
  React.useEffect(() => bench.watch(bench.runs, 0), []);
  const jobs = order(bench.queue);
  const busy = active(bench.queue);
  const past = jobs.filter(one => ended(one.state));
  const shown = [
    ...busy,
    ...past.filter((one, i) => all || i < RECENT || one.id === job)
  ];
  const runs = bench.runs.value;
  return (
    <div className="fwl-page">
      <header>
        <h1>{trans.__('Runs')}</h1>
        <Limits bench={bench} />
      </header>
      <section>
        <h2>{trans.__('Queue')}</h2>
        {bench.jobsError && (
          <Problem
            bench={bench}
            error={bench.jobsError}
            again={() => void bench.look().catch(() => undefined)}
          />
        )}
        {!bench.queue.known && !bench.jobsError && <Waiting bench={bench} />}
        {bench.queue.known && !jobs.length && (
          <p className="fwl-quiet">
            {trans.__('Nothing was started from here yet. Open a study and press Run.')}
          </p>
        )}
        <ul className="fwl-jobs">
          {shown.map(one => (
            <Job key={one.id} bench={bench} job={one} open={one.id === job} />
          ))}
        </ul>
        {past.length > RECENT && (
          <button className="jp-mod-styled fwl-button" onClick={() => setAll(!all)}>
            {all
              ? trans.__('Show fewer')
              : trans.__('Show all %1 ended jobs', past.length)}
          </button>
        )}
      </section>
      <section>
        <h2>{trans.__('All runs')}</h2>
        {bench.runs.error && <Problem bench={bench} error={bench.runs.error} />}
        {!runs && !bench.runs.error && <Waiting bench={bench} />}
        {runs && !runs.runs.length && (
          <p className="fwl-quiet">{trans.__('Nothing was run yet.')}</p>
        )}
        {runs && runs.runs.length > 0 && <RunTable bench={bench} runs={runs.runs} />}
        {runs?.more && (
          <p className="fwl-quiet">
            {trans.__('The latest %1 of %2.', runs.runs.length, runs.total)}{' '}
            {trans.__('`workbench runs` lists all.')}
          </p>
        )}
      </section>
    </div>
  );
}

function Limits(props: { bench: Bench }): JSX.Element | null {
  const { bench } = props;
  const { trans } = bench;
  if (!bench.jobs) {
    return null;
  }
  const devices = Object.entries(bench.jobs.limits.devices)
    .map(([device, n]) => trans.__('%1 on %2', n, device))
    .join(', ');
  return (
    <p className="fwl-quiet">
      {trans.__(
        'At a time: %1. At most %2 wait. The server sets both.',
        devices,
        bench.jobs.limits.queue
      )}{' '}
      {trans.__('Runs are kept in %1.', bench.jobs.store)}
      {!bench.jobs.works && (
        <b> {trans.__('This server starts no jobs: they wait for another one.')}</b>
      )}
    </p>
  );
}

const Job = React.memo(function Job(props: {
  bench: Bench;
  job: IJob;
  open: boolean;
}): JSX.Element {
  const { bench, job } = props;
  const { trans } = bench;
  const [log, setLog] = React.useState(props.open);
  React.useEffect(() => {
    if (props.open) {
      setLog(true);
    }
  }, [props.open]);
  const done = ended(job.state);
  const place =
    job.position !== null ? trans.__('place %1 on %2', job.position, job.device) : '';
  const about = [
    trans.__('job %1', job.id),
    job.scale,
    job.device,
    job.restarted_from ? trans.__('again after job %1', job.restarted_from) : '',
    job.fresh === false ? trans.__('found again, not computed') : '',
    done ? words.duration(job.seconds) : '',
    done ? words.moment(job.ended) : ''
  ];
  const described = trans.__('of job %1', job.id);
  return (
    <li className="fwl-card" data-job={job.id} data-state={job.state}>
      <div className="fwl-row fwl-wrap">
        <b>{job.slug}</b>
        <Sign sign={words.stateSign(job.state, trans)} more={place} />
        <Verdicts counts={job.counts} bench={bench} />
        <span className="fwl-quiet">{about.filter(Boolean).join(' · ')}</span>
      </div>
      {job.state === 'running' && <JobProgress job={job} bench={bench} />}
      {job.problem ? (
        <div className="fwl-problem">
          <FieldError bench={bench} error={job.problem} />
        </div>
      ) : (
        job.reason && <div className="fwl-quiet">{job.reason}</div>
      )}
      <div className="fwl-row fwl-wrap">
        {!done && (
          <CommandButton
            bench={bench}
            command="cancel-job"
            args={{ job: job.id }}
            describe={described}
            disabled={job.cancelling}
          />
        )}
        {done && (
          <CommandButton
            bench={bench}
            command="restart-job"
            args={{ job: job.id }}
            describe={described}
          />
        )}
        {done && job.run && (
          <CommandButton
            bench={bench}
            command="open-run"
            args={{ study: job.study, run: job.run }}
            describe={described}
          />
        )}
        <button
          className="jp-mod-styled fwl-button"
          aria-expanded={log}
          aria-label={trans.__('Log of job %1', job.id)}
          onClick={() => setLog(!log)}
        >
          {trans.__('Log')}
        </button>
      </div>
      {log && <Log bench={bench} job={job} />}
    </li>
  );
});

/** The end of a job's log, growing while the job runs. */
function Log(props: { bench: Bench; job: IJob }): JSX.Element {
  const { bench, job } = props;
  const { trans } = bench;
  const [text, setText] = React.useState('');
  const [error, setError] = React.useState<Error | null>(null);
  const box = React.useRef<HTMLPreElement>(null);
  const end = React.useRef<number | undefined>(undefined);
  const follow = React.useRef(true);
  const done = ended(job.state);
  React.useEffect(() => {
    let current = true;
    let timer = 0;
    const ask = async () => {
      try {
        const part = await bench.api.log(job.id, end.current);
        if (!current) {
          return;
        }
        end.current = part.end;
        setText(shown => grown(shown, part.text));
        setError(null);
        if (!done || part.end < part.size) {
          timer = window.setTimeout(ask, LOG_SECONDS * 1000);
        }
      } catch (problem) {
        if (current) {
          setError(problem as Error);
          timer = window.setTimeout(ask, 5 * LOG_SECONDS * 1000);
        }
      }
    };
    void ask();
    return () => {
      current = false;
      window.clearTimeout(timer);
    };
  }, [job.id, done]);
  React.useLayoutEffect(() => {
    if (box.current && follow.current) {
      box.current.scrollTop = box.current.scrollHeight;
    }
  }, [text]);
  return (
    <>
      {error && <Problem bench={bench} error={error} />}
      <pre
        className="fwl-log"
        ref={box}
        tabIndex={0}
        role="log"
        aria-live="off"
        aria-label={trans.__('Log of job %1', job.id)}
        onScroll={event => {
          const at = event.currentTarget;
          follow.current = at.scrollHeight - at.scrollTop - at.clientHeight < 20;
        }}
      >
        {text || trans.__('It has printed nothing yet.')}
      </pre>
    </>
  );
}
