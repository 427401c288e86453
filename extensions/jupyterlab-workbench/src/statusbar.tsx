/** One item of the status bar: processor, memory, GPUs and what runs. */

import { ReactWidget } from '@jupyterlab/ui-components';
import { Poll } from '@lumino/polling';
import * as React from 'react';
import { Bench } from './bench';
import { ID } from './ids';
import { IStatus } from './types';
import { bytes, machine } from './words';

/** The server itself reads the machine at most every two seconds. */
const FLOOR_SECONDS = 5;

export class MachineItem extends ReactWidget {
  constructor(private readonly bench: Bench) {
    super();
    this.addClass('fwl-machine');
    this._poll = new Poll({
      name: 'face-workbench:machine',
      factory: async () => {
        this._status = await bench.api.status();
        this.update();
      },
      frequency: { interval: 1000 * FLOOR_SECONDS, backoff: true, max: 120_000 },
      standby: () => (this.isVisible ? 'when-hidden' : true)
    });
    bench.settingsChanged.connect(this.adjust, this);
    bench.queueChanged.connect(this.draw, this);
    this.adjust();
  }

  dispose(): void {
    this.bench.settingsChanged.disconnect(this.adjust, this);
    this.bench.queueChanged.disconnect(this.draw, this);
    this._poll.dispose();
    super.dispose();
  }

  render(): JSX.Element | null {
    const status = this._status;
    if (!status) {
      return null;
    }
    const { bench } = this;
    const { trans } = bench;
    return (
      <button
        className="fwl-status"
        title={detail(status, bench).join('\n')}
        aria-label={trans.__('Face Workbench: %1', machine(status, trans))}
        onClick={() => void bench.commands.execute(`${ID}:open-runs`)}
      >
        {machine(this.counted(status), trans)}
      </button>
    );
  }

  /** The queue is known sooner by its events than by this poll. */
  private counted(status: IStatus): IStatus {
    if (!this.bench.queue.known) {
      return status;
    }
    const jobs = [...this.bench.queue.jobs.values()];
    const count = (state: string) => jobs.filter(job => job.state === state).length;
    const counts = { running: count('running'), queued: count('queued') };
    return { ...status, counts };
  }

  private adjust(): void {
    this.setHidden(!this.bench.settings.statusBar);
    const seconds = Math.max(FLOOR_SECONDS, this.bench.settings.pollSeconds);
    const interval = 1000 * seconds;
    if (this._poll.frequency.interval !== interval) {
      this._poll.frequency = { interval, backoff: true, max: 120_000 };
    }
  }

  private draw(): void {
    this.update();
  }

  private _poll: Poll;
  private _status: IStatus | null = null;
}

function detail(status: IStatus, bench: Bench): string[] {
  const { trans } = bench;
  const devices = Object.entries(status.limits.devices)
    .map(([device, n]) => trans.__('%1 on %2', n, device))
    .join(', ');
  return [
    trans.__('Face Workbench %1', status.version),
    ...status.gpus.map(
      gpu => `GPU${gpu.index} ${gpu.name}: ${bytes(gpu.memory_used)}/${bytes(gpu.memory_total)}`
    ),
    status.gpu_note ?? '',
    ...status.jobs.map(job =>
      trans.__('job %1, %2: %3', job.id, job.slug, bytes(job.memory))
    ),
    trans.__('runs at a time: %1', devices),
    trans.__('free for runs: %1', bytes(status.free_bytes))
  ].filter(Boolean);
}
