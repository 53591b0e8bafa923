import { Actor, CallsheetModule, Handle, Message, RejectError } from '@callsheet/messaging';
import { BullModule, InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { Job, Queue } from 'bullmq';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { serverSuite } from '../../support/available.js';
import { eventually } from '../../support/eventually.js';
import { startRedis, type RedisServer } from '../../support/redis.server.js';

@Injectable()
export class Reports {
  readonly done: string[] = [];
}

// Before: one class per queue, a switch over names, data that nobody checked.
@Processor('reports')
export class ReportsProcessor extends WorkerHost {
  constructor(private readonly reports: Reports) {
    super();
  }

  override async process(job: Job<{ month?: string; year?: string }>): Promise<void> {
    switch (job.name) {
      case 'monthly':
        this.reports.done.push(`monthly ${job.data.month}`);
        return;
      case 'yearly':
        this.reports.done.push(`yearly ${job.data.year}`);
        return;
      default:
        throw new Error(`unknown job ${job.name}`);
    }
  }
}

// After: a message for each name, a method for each message.
export class MonthlyReport extends Message(
  'report.monthly',
  z.object({ month: z.string().regex(/^\d{4}-\d{2}$/) }),
) {}
export class YearlyReport extends Message('report.yearly', z.object({ year: z.string() })) {}

@Actor()
export class ReportActor {
  constructor(private readonly reports: Reports) {}

  @Handle(MonthlyReport) monthly({ month }: MonthlyReport) {
    if (month > '2026-12') throw new RejectError('that month is not over');
    this.reports.done.push(`actor monthly ${month}`);
  }

  @Handle(YearlyReport) yearly({ year }: YearlyReport) {
    this.reports.done.push(`actor yearly ${year}`);
  }
}

// A producer that has not been changed yet: it adds to the actor's queue as to any other.
@Injectable()
export class OldProducer {
  constructor(
    @InjectQueue('reports') private readonly old: Queue,
    @InjectQueue('report') private readonly actor: Queue,
  ) {}

  async order() {
    await this.old.add('monthly', { month: '2026-01' });
    await this.actor.add('report.monthly', { month: '2026-02' });
  }
}

serverSuite('redis-server', 'migrating from @Processor', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());

  it('old processors and new actors run side by side in one application', async () => {
    const { hostname: host, port } = new URL(redis.url);
    const app = await Test.createTestingModule({
      imports: [
        BullModule.forRoot({ connection: { host, port: Number(port) } }),
        BullModule.registerQueue({ name: 'reports' }),
        CallsheetModule.forRoot({ url: redis.url, messages: [MonthlyReport, YearlyReport] }),
      ],
      providers: [ReportsProcessor, ReportActor, OldProducer, Reports],
    }).compile();
    app.useLogger(false);
    await app.init();
    try {
      await app.get(OldProducer).order();
      const { done } = app.get(Reports);
      await eventually(() => done.length === 2);
      expect(done.toSorted()).toEqual(['actor monthly 2026-02', 'monthly 2026-01']);
    } finally {
      await app.close();
    }
  });
});
