import type { components } from '../../console/src/api/openapi.js';

/** What the API shows, by its name in the OpenAPI document: `Shown['Message']`. */
export type Shown = components['schemas'];

/** One of a list that the API shows. */
export type Listed<L extends { items: unknown[] }> = L['items'][number];
