import {
  OptionError,
  Routes,
  type RouteAudit,
  type RouteChange,
  type RouteRecord,
} from '@callsheet/messaging';
import { Injectable } from '@nestjs/common';
import { etagOf, type ChangeCondition } from '../change.condition.js';
import { ProblemError } from '../problem.js';

/** Finds stored routes by the id in a URL, and holds conditions against them. */
@Injectable()
export class RouteFinder {
  constructor(private readonly routes: Routes) {}

  /** @throws ProblemError not_found */
  async get(id: string): Promise<RouteRecord> {
    return required(id, await possible(() => this.routes.get(id)));
  }

  /** Also of one that was removed. @throws ProblemError not_found when there never was one */
  async history(id: string, page: { before?: string; limit: number }): Promise<RouteAudit[]> {
    const changes = await possible(() => this.routes.history(id, page));
    // Behind the last one there is none either.
    return required(id, changes?.length || page.before !== undefined ? changes : undefined);
  }

  /**
   * A condition as a change of a route takes it.
   *
   * @throws ProblemError precondition_failed
   */
  async revision(
    id: string,
    condition: ChangeCondition | undefined,
  ): Promise<Pick<RouteChange, 'ifRevision'>> {
    if (condition === undefined) return {};
    if (condition === 'none') return { ifRevision: 0 };
    if (condition !== 'some') return { ifRevision: condition };
    const record = await this.routes.get(id);
    if (!record) throw await this.conflict(id);
    return { ifRevision: record.revision };
  }

  /** What is answered when the route is not as the client thought. */
  async conflict(id: string): Promise<ProblemError> {
    const record = await this.routes.get(id);
    if (!record) return new ProblemError('precondition_failed', `there is no route '${id}'`);
    const { revision } = record;
    const detail = `the route '${id}' has revision ${revision}: look at it, and decide about that one`;
    return new ProblemError('precondition_failed', detail, { headers: { etag: etagOf(revision) } });
  }
}

/** Undefined for what cannot be the id of a route. */
async function possible<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof OptionError && error.path === 'id') return undefined;
    throw error;
  }
}

/** @throws ProblemError not_found */
function required<T>(id: string, found: T | undefined): T {
  if (found !== undefined) return found;
  throw new ProblemError('not_found', `there is no route '${id}'; see /v1/routes`);
}
