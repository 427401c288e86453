/** The server's interface. Every request goes through JupyterLab's own connection, which adds token and XSRF. */

import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import * as t from './types';

const BASE = 'workbench/api';
/** The most jobs of one answer; more than may wait, so that none of them is left out. */
const MOST = 500;

/** What the server said was wrong, in words. */
export class ProblemError extends Error {
  constructor(readonly problem: t.IProblem) {
    super(problem.detail || problem.title);
    this.name = 'ProblemError';
  }
}

async function problem(response: Response): Promise<ProblemError> {
  const kind = response.headers.get('Content-Type') ?? '';
  if (kind.includes('json')) {
    const said = await response.json().catch(() => null);
    if (said && typeof said.detail === 'string') {
      return new ProblemError(said);
    }
  }
  const absent = response.status === 404;
  return new ProblemError({
    title: response.statusText,
    status: response.status,
    detail: absent
      ? 'the server has no Face Workbench: its server extension is not enabled'
      : `the server answered ${response.status} ${response.statusText}`
  });
}

export class Api {
  constructor(readonly settings: ServerConnection.ISettings) {}

  studies(): Promise<t.IStudies> {
    return this.json('studies');
  }

  study(study: string): Promise<t.IStudyPage> {
    return this.json(`studies/${encodeURIComponent(study)}`);
  }

  check(study: string, parameters: t.Values): Promise<t.ICheck> {
    return this.json(`studies/${encodeURIComponent(study)}/check`, 'POST', {
      parameters
    });
  }

  open(study: string, fresh: boolean): Promise<{ path: string; state: string }> {
    return this.json(`studies/${encodeURIComponent(study)}/open`, 'POST', {
      fresh
    });
  }

  jobs(since?: number): Promise<t.IJobs> {
    return this.json(`jobs?limit=${MOST}${since === undefined ? '' : `&since=${since}`}`);
  }

  job(id: number): Promise<t.IJob> {
    return this.json(`jobs/${id}`);
  }

  run(study: string, parameters: t.Values): Promise<t.IJob> {
    return this.json('jobs', 'POST', { study, parameters });
  }

  cancel(id: number): Promise<t.IJob> {
    return this.json(`jobs/${id}`, 'DELETE');
  }

  restart(id: number): Promise<t.IJob> {
    return this.json(`jobs/${id}/restart`, 'POST', {});
  }

  log(id: number, start?: number): Promise<t.ILog> {
    return this.json(
      start === undefined ? `jobs/${id}/log` : `jobs/${id}/log?start=${start}`
    );
  }

  runs(limit: number): Promise<t.IRuns> {
    return this.json(`runs?limit=${limit}`);
  }

  result(study: string, run: string): Promise<t.IRunResult> {
    return this.json(this.place(study, run));
  }

  purge(study: string, run: string): Promise<{ bytes: number }> {
    return this.json(this.place(study, run), 'DELETE');
  }

  async report(study: string, run: string): Promise<string> {
    return (await this.request(`${this.place(study, run)}/report`)).text();
  }

  async figure(study: string, run: string, figure: string): Promise<Blob> {
    const name = encodeURIComponent(figure);
    return (
      await this.request(`${this.place(study, run)}/figures/${name}`)
    ).blob();
  }

  compare(runs: readonly string[]): Promise<t.IComparison> {
    return this.json(`compare?${this.asked(runs)}`);
  }

  async table(
    runs: readonly string[],
    format: 'csv' | 'markdown'
  ): Promise<string> {
    const path = `compare?${this.asked(runs)}&format=${format}`;
    return (await this.request(path)).text();
  }

  board(): Promise<t.IBoard> {
    return this.json('board');
  }

  status(): Promise<t.IStatus> {
    return this.json('status');
  }

  /** Where a browser tab of its own finds a report. */
  reportUrl(study: string, run: string): string {
    return this.url(`${this.place(study, run)}/report`);
  }

  private place(study: string, run: string): string {
    return `runs/${encodeURIComponent(study)}/${encodeURIComponent(run)}`;
  }

  private asked(runs: readonly string[]): string {
    return runs.map(run => `run=${encodeURIComponent(run)}`).join('&');
  }

  private url(path: string): string {
    return URLExt.join(this.settings.baseUrl, BASE, path);
  }

  private async request(
    path: string,
    method = 'GET',
    body?: object
  ): Promise<Response> {
    const init: RequestInit = { method, cache: 'no-store' };
    if (body) {
      init.body = JSON.stringify(body);
    }
    const response = await ServerConnection.makeRequest(
      this.url(path),
      init,
      this.settings
    );
    if (!response.ok) {
      throw await problem(response);
    }
    return response;
  }

  private async json<T>(
    path: string,
    method = 'GET',
    body?: object
  ): Promise<T> {
    return (await this.request(path, method, body)).json();
  }
}
