import { violations, type JsonObject } from '@callsheet/messaging';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { principalOf } from '../access/principal.js';
import { isSafe, needOf } from '../access/route.permissions.js';
import { checkedReason } from '../change.reason.js';
import { answerProblem } from '../problem.filter.js';
import { difference, within, type AuditEntry } from './audit.entry.js';
import type { AuditLog, OpenEntry } from './audit.log.js';

/** What the hook needs of the application, once that is there. */
export interface Auditing {
  log?: AuditLog;
  /** Shows what an admin sees, for what was before and is after. */
  readonly authorization: string;
}

/** What is being changed. */
interface Change {
  /** Where that is shown. */
  shown?: string;
  before?: JsonObject;
  entry: OpenEntry;
}

/** What is sent is itself kept, and who sends it is no operator of anything. */
const SENDING = new Set(['messages:send', 'rooms:post']);
const LONGEST_PATH = 300;
const MOST_FIELDS = 20;

/**
 * Has every change kept that somebody makes over HTTP, the board's too: before it is made, or it is not made; and what it changed,
 * before it is answered. Must be added before any route.
 */
export function auditChanges(fastify: FastifyInstance, auditing: Auditing): void {
  const pending = new WeakMap<FastifyRequest, Change>();

  fastify.addHook('preHandler', async (request, reply) => {
    const principal = principalOf(request);
    if (!auditing.log || !principal || !isAudited(request)) return;
    const { method, routeOptions, url } = request;
    try {
      const reason =
        checkedReason(request.headers['x-reason'] as string | undefined) ?? reasonIn(request.body);
      const shown = shownAt(request);
      const before = shown === undefined ? undefined : await show(shown);
      const entry = await auditing.log.open({
        ...{ who: principal.id, name: principal.name },
        ...{ call: `${method} ${routeOptions.url}`, path: pathOf(url) },
        ...(reason !== undefined && { reason }),
        ...asked(request),
      });
      pending.set(request, {
        entry,
        ...(shown !== undefined && { shown }),
        ...(before && { before }),
      });
    } catch (error) {
      return answerProblem(request, reply, error);
    }
  });

  fastify.addHook('onSend', async (request, reply, payload) => {
    const change = pending.get(request);
    pending.delete(request);
    if (change) await tell(change, reply);
    return payload;
  });

  async function tell({ shown, before, entry }: Change, reply: FastifyReply): Promise<void> {
    const status = reply.statusCode;
    // What was refused has changed nothing.
    if (status >= 400 && status < 500) return entry.drop();
    const where = shown ?? createdAt(reply.getHeader('location'));
    const after = where === undefined ? undefined : await show(where);
    await entry.close({ status, ...difference(before, after) });
  }

  /** As somebody who may see all is shown it; undefined when there is nothing. */
  async function show(url: string): Promise<JsonObject | undefined> {
    const { authorization } = auditing;
    const response = await fastify.inject({ url, headers: { authorization } });
    if (response.statusCode !== 200) return undefined;
    const view = response.json<JsonObject>();
    return OF_MESSAGES.test(url) ? withoutPayload(view) : view;
  }
}

/** Calls whose views hold data of messages, which are not kept here for longer than the messages are. */
const OF_MESSAGES = /^\/v1\/(messages|dead-letters)\//;
const TELLING = [
  'id',
  'type',
  'key',
  'tenant',
  'state',
  'reason',
  'error',
  'fingerprint',
  'redrives',
];

function withoutPayload(view: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(view).filter(([name]) => TELLING.includes(name)));
}

function isAudited({ method, routeOptions: { url = '' } }: FastifyRequest): boolean {
  if (isSafe(method) || url === '') return false;
  const need = needOf(method, url);
  if (need === 'open' || need === 'signed' || SENDING.has(need ?? '')) return false;
  // A trial or a preview changes nothing.
  return need === undefined || !need.endsWith(':read');
}

/** The call that shows what this one changes: the same path, up to where there is one; undefined when there is none. */
function shownAt({ routeOptions, url }: FastifyRequest): string | undefined {
  const pattern = (routeOptions.url ?? '').split('/');
  const path = (url.split('?', 1)[0] ?? '').split('/');
  for (let length = pattern.length; length > 0; length--) {
    // A list shows much of what is not changed.
    if (!pattern[length - 1]?.startsWith(':')) continue;
    const shown = needOf('GET', pattern.slice(0, length).join('/'));
    if (shown !== undefined && shown !== 'board:read') return path.slice(0, length).join('/');
  }
  return undefined;
}

/** Where something is that was made. */
function createdAt(location: unknown): string | undefined {
  return typeof location === 'string' && location.startsWith('/v1/') ? location : undefined;
}

/** Calls whose bodies are kept: they hold no data of messages. */
const PLAIN = /^((actors|schedules|sync):operate|sync:reset|api-keys:write)$/;
/** Calls whose bodies are what there is afterwards, and so need not be kept. */
const WRITING = /^(schedules|routes):write$/;

/** What the body asks for; of what may hold data of messages only which fields there were. */
function asked({
  method,
  body,
  routeOptions: { url = '' },
}: FastifyRequest): Pick<AuditEntry, 'asked'> {
  const need = needOf(method, url) ?? '';
  if (typeof body !== 'object' || body === null || WRITING.test(need)) return {};
  const names = Object.keys(body).slice(0, MOST_FIELDS);
  if (PLAIN.test(need)) return { asked: within(body as JsonObject, names).kept };
  return names.length > 0 ? { asked: { fields: names.map((name) => name.slice(0, 50)) } } : {};
}

function reasonIn(body: unknown): string | undefined {
  const reason =
    typeof body === 'object' && body !== null && 'reason' in body ? body.reason : undefined;
  // What cannot be one its call will say.
  const isText = typeof reason === 'string' && violations(reason).length === 0;
  // Half of a character is none.
  return isText ? reason.slice(0, 200).replace(/[\uD800-\uDBFF]$/, '') : undefined;
}

function pathOf(url: string): string {
  return (url.split('?', 1)[0] ?? '').slice(0, LONGEST_PATH);
}
