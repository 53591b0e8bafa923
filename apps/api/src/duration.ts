import { z } from 'zod';

/** A duration in a body: milliseconds, or a string such as `'10s'`. The framework checks its value. */
export const duration = z.union([z.number(), z.string()]);
