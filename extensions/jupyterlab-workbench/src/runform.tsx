/** The form that starts a run. What may be typed comes from the study's own parameters. */

import * as React from 'react';
import { ProblemError } from './api';
import { Bench } from './bench';
import * as form from './form';
import { ID } from './ids';
import { CommandButton, Problem } from './parts';
import { ICheck, IFieldError, IParameter, IStudyPage, Scale, Values } from './types';
import { duration } from './words';

const PAUSE = 300;

export function RunForm(props: { bench: Bench; study: IStudyPage }): JSX.Element {
  const { bench, study } = props;
  const { trans } = bench;
  const scale = (bench.settings.defaultScale || study.default_scale) as Scale;
  const device = bench.settings.defaultDevice;
  const [entered, setEntered] = React.useState<form.Typed>(() =>
    form.start(study.parameters, {}, scale, device)
  );
  const touched = React.useRef(false);
  const [sending, setSending] = React.useState(false);
  const [failed, setFailed] = React.useState<Error | null>(null);
  const [started, setStarted] = React.useState(0);

  React.useEffect(() => {
    let current = true;
    void bench.remembered(study.name).then(values => {
      if (current && !touched.current) {
        setEntered(form.start(study.parameters, values, scale, device));
      }
    });
    return () => {
      current = false;
    };
    // Settings may come later than the form, and be changed beside it.
  }, [study.name, scale, device]);

  const reading = form.read(study.parameters, entered, trans);
  const { reply, refused } = useCheck(bench, study.name, reading);
  const errors: { [name: string]: IFieldError } = {
    ...reply?.errors,
    ...(failed instanceof ProblemError ? failed.problem.errors : {}),
    ...reading.errors
  };
  const wrong = Object.keys(errors).length;
  const change = (name: string, value: string | boolean) => {
    touched.current = true;
    setFailed(null);
    setEntered({ ...entered, [name]: value });
  };
  const submit = async (event: React.FormEvent) => {
    event.preventDefault();
    if (wrong || sending) {
      focusFirst(event.currentTarget as HTMLElement);
      return;
    }
    setSending(true);
    try {
      const job = await send(bench, study.name, reading.values);
      setStarted(job);
      setFailed(null);
    } catch (error) {
      setFailed(error as Error);
    } finally {
      setSending(false);
    }
  };
  const parts = form.parts(study.parameters);
  const field = (p: IParameter) => (
    <Field
      key={p.name}
      p={p}
      bench={bench}
      scale={String(entered.scale ?? '')}
      entered={entered[p.name] ?? ''}
      error={errors[p.name]}
      change={change}
    />
  );
  const other = Object.keys(errors).filter(
    name => !study.parameters.some(p => p.name === name)
  );
  return (
    <form
      className="fwl-form"
      aria-label={trans.__('Run %1', study.slug)}
      onSubmit={event => void submit(event)}
      noValidate
    >
      {parts.scale && (
        <Scales
          p={parts.scale}
          bench={bench}
          study={study}
          entered={String(entered.scale ?? '')}
          change={change}
        />
      )}
      {parts.own.map(field)}
      <details open={parts.setting.some(p => errors[p.name])}>
        <summary>{trans.__('Data, device and seed')}</summary>
        {parts.setting.map(field)}
      </details>
      {other.map(name => (
        <div key={name} className="fwl-problem">
          {form.line(errors[name], trans)}
        </div>
      ))}
      <div className="fwl-row fwl-wrap fwl-submit">
        <button
          type="submit"
          className="jp-mod-styled jp-mod-accept fwl-button"
          aria-disabled={Boolean(wrong) || sending}
        >
          {trans.__('Run')}
        </button>
        <button
          type="button"
          className="jp-mod-styled fwl-button"
          onClick={() => {
            touched.current = true;
            setFailed(null);
            setEntered(form.start(study.parameters, {}, scale, device));
          }}
        >
          {trans.__('Defaults')}
        </button>
        <span role="status" className="fwl-quiet">
          {wrong
            ? trans._n('%1 field does not fit', '%1 fields do not fit', wrong)
            : started
              ? trans.__('Queued as job %1.', started)
              : ''}
        </span>
      </div>
      <Expected bench={bench} reply={wrong ? null : reply} />
      {failed && !wrong && <Problem bench={bench} error={failed} />}
      {refused && <Problem bench={bench} error={refused} />}
      <Commands bench={bench} reply={wrong ? null : reply} />
    </form>
  );
}

async function send(bench: Bench, study: string, values: Values): Promise<number> {
  const reply = await bench.api.check(study, values);
  if (!reply.ok) {
    throw new ProblemError({
      title: bench.trans.__('A parameter does not fit'),
      status: 400,
      detail: bench.trans.__('The server refuses a parameter.'),
      errors: reply.errors
    });
  }
  await bench.remember(study, values);
  const job = await bench.commands.execute(`${ID}:start-run`, {
    study,
    parameters: values
  });
  return job.id;
}

function focusFirst(form: HTMLElement): void {
  const field = form.querySelector<HTMLElement>('[aria-invalid="true"]');
  field?.closest('details')?.setAttribute('open', '');
  field?.focus();
}

/** What the server says about the values, asked when typing pauses. */
function useCheck(
  bench: Bench,
  study: string,
  reading: form.IReading
): { reply: ICheck | null; refused: Error | null } {
  const [reply, setReply] = React.useState<ICheck | null>(null);
  const [refused, setRefused] = React.useState<Error | null>(null);
  const key = JSON.stringify(reading);
  React.useEffect(() => {
    if (Object.keys(reading.errors).length) {
      setReply(null);
      return;
    }
    let current = true;
    const timer = window.setTimeout(() => {
      bench.api.check(study, reading.values).then(
        found => {
          if (current) {
            setReply(found);
            setRefused(null);
          }
        },
        error => current && setRefused(error)
      );
    }, PAUSE);
    return () => {
      current = false;
      window.clearTimeout(timer);
    };
  }, [study, key]);
  return { reply, refused };
}

function Scales(props: {
  p: IParameter;
  bench: Bench;
  study: IStudyPage;
  entered: string;
  change: (name: string, value: string) => void;
}): JSX.Element {
  const { p, bench, study, entered, change } = props;
  const { trans } = bench;
  const means: { [scale: string]: string } = {
    smoke: trans.__('does it run'),
    demo: trans.__('verdicts, small'),
    paper: trans.__("the paper's sizes")
  };
  return (
    <fieldset className="fwl-scales">
      <legend>{trans.__('Scale')}</legend>
      {p.choices.map(choice => {
        const name = String(choice);
        const seconds = study.seconds[name as Scale];
        return (
          <label key={name} className={name === entered ? 'fwl-mod-chosen' : ''}>
            <input
              type="radio"
              name={`${study.name}-scale`}
              value={name}
              checked={name === entered}
              onChange={() => change('scale', name)}
            />
            <span>
              <b>{name}</b>
              <span className="fwl-quiet">{means[name]}</span>
              <span className="fwl-quiet">
                {seconds
                  ? trans.__('about %1', duration(seconds))
                  : trans.__('never timed here')}
              </span>
            </span>
          </label>
        );
      })}
    </fieldset>
  );
}

interface IField {
  p: IParameter;
  bench: Bench;
  scale: string;
  entered: string | boolean;
  error: IFieldError | undefined;
  change: (name: string, value: string | boolean) => void;
}

function Field(props: IField): JSX.Element {
  const { p, bench, entered, error } = props;
  const id = React.useId();
  const about = `${id}-about`;
  const help = [p.help, error || p.help.includes(p.allowed) ? '' : p.allowed];
  const label = (
    <label htmlFor={id}>
      {p.name}
      {p.runtime && (
        <span className="fwl-quiet">
          {' '}
          {bench.trans.__('(does not change the answer)')}
        </span>
      )}
    </label>
  );
  const described = {
    id,
    'aria-describedby': about,
    'aria-invalid': Boolean(error)
  };
  return (
    <div className={`fwl-field ${error ? 'fwl-mod-wrong' : ''}`}>
      {typeof entered === 'boolean' ? (
        <div className="fwl-row">
          <Entry {...props} described={described} />
          {label}
        </div>
      ) : (
        <>
          {label}
          <Entry {...props} described={described} />
        </>
      )}
      <div id={about} className="fwl-quiet">
        {error && (
          <div className="fwl-error">
            <span aria-hidden="true">✖ </span>
            {form.line(error, bench.trans)}
          </div>
        )}
        {help.filter(Boolean).join(' · ')}
      </div>
    </div>
  );
}

function Entry(props: IField & { described: object }): JSX.Element {
  const { p, bench, scale, entered, change, described } = props;
  if (typeof entered === 'boolean') {
    return (
      <input
        {...described}
        type="checkbox"
        checked={entered}
        onChange={event => change(p.name, event.target.checked)}
      />
    );
  }
  const empty = form.whenEmpty(p, scale, bench.trans);
  const choices = p.choices.length ? p.choices : p.kind === 'bool' ? [true, false] : [];
  if (choices.length) {
    return (
      <select
        {...described}
        className="fwl-input"
        value={entered}
        onChange={event => change(p.name, event.target.value)}
      >
        {p.optional && !choices.includes(null) && <option value="">{empty}</option>}
        {choices.map(choice => (
          <option key={String(choice)} value={form.typed(choice) as string}>
            {choice === null ? empty : String(choice)}
          </option>
        ))}
      </select>
    );
  }
  const modes = { int: 'numeric', float: 'decimal' } as const;
  return (
    <input
      {...described}
      type="text"
      className="fwl-input"
      inputMode={p.kind === 'int' || p.kind === 'float' ? modes[p.kind] : 'text'}
      spellCheck={false}
      autoComplete="off"
      placeholder={empty}
      value={entered}
      onChange={event => change(p.name, event.target.value)}
    />
  );
}

function Expected(props: { bench: Bench; reply: ICheck | null }): JSX.Element {
  const { bench, reply } = props;
  const { trans } = bench;
  return (
    <div className="fwl-expected" aria-live="polite">
      {reply?.seconds
        ? trans.__('Takes about %1 on this machine.', duration(reply.seconds))
        : reply
          ? trans.__('It has not been timed on this machine at this scale.')
          : ''}
      {reply?.notes.map(note => <div key={note}>{note}</div>)}
    </div>
  );
}

function Commands(props: { bench: Bench; reply: ICheck | null }): JSX.Element | null {
  const { bench, reply } = props;
  const { trans } = bench;
  if (!reply?.ok) {
    return null;
  }
  const shown: [string, string | null][] = [
    [trans.__('In a shell'), reply.command],
    [trans.__('With papermill'), reply.papermill]
  ];
  return (
    <details>
      <summary>{trans.__('The same run elsewhere')}</summary>
      {shown.map(
        ([name, text]) =>
          text && (
            <div key={name} className="fwl-command">
              <div className="fwl-row">
                <span>{name}</span>
                <CommandButton
                  bench={bench}
                  command="copy-text"
                  args={{ text }}
                  label={trans.__('Copy')}
                  describe={name}
                />
              </div>
              <pre tabIndex={0} role="group" aria-label={name}>
                {text}
              </pre>
            </div>
          )
      )}
    </details>
  );
}
