import { z } from 'zod';

/** The shapes that the API document names: each resource registers its own beside its declaration. */
export const schemas = z.registry<{ id: string }>();

/** Reference to a registered shape in the API document. */
export function ref(id: string): { $ref: string } {
  return { $ref: `#/components/schemas/${id}` };
}
