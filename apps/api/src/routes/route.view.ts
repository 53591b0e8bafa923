import type { RouteAudit, RouteRecord, RouteTest } from '@callsheet/messaging';
import { z } from 'zod';
import { pageNext } from '../page.js';
import { schemas } from '../schema.registry.js';
import { receiver, routeFields } from './route.fields.js';

const time = z.iso.datetime();
const priority = z.int().describe('1 is served first');
const delay = z.int().describe('milliseconds');
const fields = { id: z.string(), ...routeFields(priority, delay) };
const revision = z.int().describe('1 for a new one; counted up by every change, a removal too');

/** A route as the API shows it: spelled as it is made. */
export const routeView = z
  .object({ ...fields, revision, changedAt: time })
  .register(schemas, { id: 'Route' });
export type RouteView = z.output<typeof routeView>;

/** What is answered when a route was put. */
export const storedRoute = routeView
  .extend({ outcome: z.enum(['created', 'changed', 'unchanged']) })
  .register(schemas, { id: 'StoredRoute' });
export type StoredRoute = z.output<typeof storedRoute>;

/** A page of routes, by id. */
export const routeList = z
  .object({
    items: z.array(routeView),
    next: pageNext,
  })
  .register(schemas, { id: 'RouteList' });
export type RouteList = z.output<typeof routeList>;

/** The latest changes of a route. */
export const routeHistory = z
  .object({
    items: z.array(
      z.object({
        at: time,
        change: z.enum(['created', 'changed', 'removed']),
        revision,
        by: z.string().optional().describe('who made it, when that is known'),
        reason: z.string().optional(),
        route: z
          .object(fields)
          .optional()
          .describe('as it was after the change; absent: it was removed'),
      }),
    ),
    next: pageNext,
  })
  .register(schemas, { id: 'RouteHistory' });
export type RouteHistory = z.output<typeof routeHistory>;

/** Where an event would be led. */
export const routeTested = z
  .object({
    receivers: z
      .array(z.object({ actor: z.string(), set: fields.set }))
      .describe('who would get a copy, by name, and what would be set on it'),
    by: z
      .array(
        z.object({
          receiver,
          by: z.string().describe('actor:<name>, a subscription, or route:<id>'),
        }),
      )
      .describe('what leads it there, in the order looked at'),
    failed: z
      .array(z.object({ owner: z.string(), error: z.string() }))
      .describe('filters that could not be asked of this event, and so did not match'),
    problems: z
      .array(z.object({ owner: z.string(), error: z.string() }))
      .describe('what stands in the store and is left out, as it is not of this version'),
  })
  .register(schemas, { id: 'RouteTested' });
export type RouteTested = z.output<typeof routeTested>;

export function toRouteView({ route, revision: at, changedAt }: RouteRecord): RouteView {
  return { ...toFields(route), revision: at, changedAt };
}

/** @param changes one more than `limit`, if there are more */
export function toRouteHistory(changes: readonly RouteAudit[], limit: number): RouteHistory {
  const shown = changes.slice(0, limit);
  return {
    items: shown.map(({ route, cursor: _, ...change }) => ({
      ...change,
      ...(route && { route: toFields(route) }),
    })),
    next: changes.length > limit ? shown.at(-1)?.cursor : undefined,
  };
}

export function toRouteTested({ receivers, by, failed, problems }: RouteTest): RouteTested {
  return {
    receivers: receivers.map(({ actor, set }) => ({ actor, ...(set && { set }) })),
    by: by.map(({ receiver: to, by: owner }) => ({ receiver: toReceiver(to), by: owner })),
    failed: failed.map(({ owner, error }) => ({ owner, error })),
    problems: problems.map(({ owner, error }) => ({ owner, error })),
  };
}

function toFields({ to, ...route }: RouteRecord['route']): z.output<z.ZodObject<typeof fields>> {
  const { match, set } = route;
  const shown = {
    ...route,
    match: ordered(match, fields.match.shape),
    to: to.map(toReceiver),
    ...(set && { set: ordered(set, fields.set.unwrap().shape) }),
  };
  return ordered(shown, fields);
}

/** As it is made: not every store keeps the order of fields. */
function ordered<T extends object>(value: T, shape: object): T {
  const names = Object.keys(shape).filter((name) => Object.hasOwn(value, name));
  return Object.fromEntries(names.map((name) => [name, value[name as keyof T]])) as T;
}

function toReceiver(to: RouteRecord['route']['to'][number]): z.output<typeof receiver> {
  return typeof to === 'string' ? to : { oneOf: [...to.oneOf], by: to.by };
}
