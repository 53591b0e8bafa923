import { Gauge, type Registry } from 'prom-client';
import type { Lag } from '../event.loop.js';

/** How late the event loop of this process was since the last scrape; read by `lag`, which begins anew each time. */
export function lagGauge(lag: () => Lag | undefined, registry: Registry): void {
  new Gauge({
    name: 'callsheet_event_loop_lag_seconds',
    help: 'How late the event loop of this process was since the last scrape: median (quantile 0.5), 0.99, and the longest (1). Absent before the start and after the stop of its actors.',
    labelNames: ['quantile'],
    registers: [registry],
    collect() {
      this.reset();
      const read = lag();
      if (!read) return;
      this.set({ quantile: '0.5' }, read.p50);
      this.set({ quantile: '0.99' }, read.p99);
      this.set({ quantile: '1' }, read.max);
    },
  });
}
