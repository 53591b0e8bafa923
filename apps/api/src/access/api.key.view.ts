import { OptionError, toMilliseconds, type Duration } from '@callsheet/messaging';
import { z } from 'zod';
import { duration } from '../duration.js';
import { iso } from '../messages/message.view.js';
import { schemas } from '../schema.registry.js';
import type { ApiKeyOptions, ApiKeyRecord } from './api.keys.js';
import { ALL_PERMISSIONS, ROLES } from './permission.js';

const time = z.iso.datetime();
const role = z.enum(ROLES);
const permissions = z.array(z.enum(ALL_PERMISSIONS));

/** Of 1 to so many characters, none of which is a control character: it stands in logs and headers. */
const text = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'must not hold control characters');

/** The body that makes a key. */
export const apiKeyCreation = z
  .strictObject({
    name: text(100).describe('for people: who uses it'),
    role: role.describe('viewer sees, operator sends and steers, admin changes what there is'),
    permissions: permissions
      .min(1)
      .optional()
      .describe('of what the role permits only these; default: all'),
    tenant: text(200)
      .optional()
      .describe('sees and sends only what is of this tenant; default: of all'),
    expiresIn: duration
      .optional()
      .describe("how long it holds: milliseconds, or a string such as '90d', at most '365d'"),
  })
  .register(schemas, { id: 'ApiKeyCreation' });
export type ApiKeyCreation = z.output<typeof apiKeyCreation>;

/** The body that gives a key another secret; there need not be one. */
export const apiKeyRotation = z
  .strictObject({
    overlap: duration
      .optional()
      .describe("how long the secret of before still holds; default '1h', at most '7d'"),
  })
  .optional()
  .register(schemas, { id: 'ApiKeyRotation' });
export type ApiKeyRotation = z.output<typeof apiKeyRotation>;

/** A key as it is shown. */
export const apiKeyView = z
  .object({
    id: z.string(),
    name: z.string(),
    role,
    permissions: permissions.optional().describe('absent: all that the role permits'),
    tenant: z.string().optional().describe('absent: all tenants'),
    createdAt: time,
    createdBy: z.string().describe('who made it'),
    expiresAt: time.optional().describe('absent: it holds until it is revoked'),
    rotatedAt: time.optional(),
    previousUntil: time.optional().describe('until when the secret of before its rotation holds'),
  })
  .register(schemas, { id: 'ApiKey' });
export type ApiKeyView = z.infer<typeof apiKeyView>;

/** All keys. */
export const apiKeyList = z
  .object({ items: z.array(apiKeyView) })
  .register(schemas, { id: 'ApiKeyList' });
export type ApiKeyList = z.infer<typeof apiKeyList>;

/** A key that was made or rotated. */
export const newApiKeyView = apiKeyView
  .extend({ key: z.string().describe('what to present; it is shown this once') })
  .register(schemas, { id: 'NewApiKey' });
export type NewApiKeyView = z.infer<typeof newApiKeyView>;

/** Who asks. */
export const me = z
  .object({
    id: z.string().describe('as in the audit log'),
    name: z.string(),
    role,
    permissions: permissions.describe('all that may be done'),
    tenant: z.string().optional().describe('absent: all tenants'),
  })
  .register(schemas, { id: 'Me' });
export type Me = z.infer<typeof me>;

export function toApiKeyView(record: ApiKeyRecord): ApiKeyView {
  const { id, name, role, permissions, tenant, createdAt, createdBy } = record;
  return {
    ...{ id, name, role, permissions: permissions && [...permissions], tenant },
    ...{ createdAt: iso(createdAt), createdBy, expiresAt: isoIf(record.expiresAt) },
    ...{ rotatedAt: isoIf(record.rotatedAt), previousUntil: isoIf(record.previousUntil) },
  };
}

/** @throws OptionError */
export function toApiKeyOptions({ expiresIn, ...body }: ApiKeyCreation): ApiKeyOptions {
  if (expiresIn === undefined) return body;
  const age = toMilliseconds(expiresIn as Duration, 'expiresIn');
  if (age < SHORTEST) throw new OptionError('expiresIn', 'must be at least 1s');
  return { ...body, expiresIn: age };
}

/** Shorter than that a key would have expired when its maker gets it, ms. */
const SHORTEST = 1_000;

function isoIf(time: number | undefined): string | undefined {
  return time === undefined ? undefined : iso(time);
}
