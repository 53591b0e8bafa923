import { z } from 'zod';
import { schemas } from '../schema.registry.js';

/** Metrics as Prometheus reads them. */
export const metricsText = z
  .string()
  .describe(
    "Prometheus' text format: counters and histograms of this process, gauges of the queues",
  )
  .register(schemas, { id: 'Metrics' });
