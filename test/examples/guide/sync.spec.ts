import { Actor, Handle, Message } from '@callsheet/messaging';
import { TestCallsheet } from '@callsheet/messaging/testing';
import {
  csvFile,
  messages,
  Pipeline,
  Pipelines,
  postgresReplication,
  postgresTable,
  postgresUpsert,
  SyncModule,
  type Page,
  type Pull,
  type Sink,
  type Source,
} from '@callsheet/sync';
import { Injectable } from '@nestjs/common';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { ROOT } from '../../support/app.process.js';
import { serverSuite } from '../../support/available.js';
import { eventually } from '../../support/eventually.js';
import { startPipeline } from '../../support/pipeline.stage.js';
import { startPostgres } from '../../support/postgres.server.js';

class Invite extends Message('invites.invite', z.object({ id: z.string(), email: z.string() })) {}

@Actor()
class InviteActor {
  @Handle(Invite) invite(): void {}
}

@Injectable()
export class Crm {
  readonly contacts = Array.from({ length: 550 }, (_, n) => ({
    id: `c${n}`,
    email: n === 7 ? 'nowhere' : `c${n}@example.org`,
  }));

  async changesSince(cursor: string | null, limit: number, _signal: AbortSignal) {
    const from = Number(cursor ?? 0);
    const items = this.contacts.slice(from, from + limit);
    return { items, next: String(from + items.length) };
  }
}

const Contact = z.object({ id: z.string(), email: z.email() });
type Contact = z.infer<typeof Contact>;

@Pipeline({ name: 'contacts', every: '10m', page: 500, schema: Contact })
export class ContactsSync {
  constructor(private readonly crm: Crm) {}

  // Where the last page ended; null at the beginning. Called again with the same cursor when the page did not commit.
  async pull(cursor: string | null, { limit, signal }: Pull) {
    const { items, next } = await this.crm.changesSince(cursor, limit, signal);
    return { rows: items, cursor: next, more: items.length === limit };
  }

  // What it sends with page.tell is stored in one step with the cursor.
  async push(contacts: Contact[], page: Page) {
    for (const { id, email } of contacts) await page.tell(new Invite({ id, email }));
  }
}

export class Databases {
  readonly shop = 'postgres://127.0.0.1:1/shop';
  readonly warehouse = 'postgres://127.0.0.1:1/warehouse';
}

@Pipeline({ name: 'orders', every: '1m', page: 1_000 })
export class OrdersSync {
  readonly from: Source;
  readonly to: Sink;

  constructor({ shop, warehouse }: Databases) {
    this.from = postgresTable({ url: shop, table: 'orders' });
    this.to = postgresUpsert({ url: warehouse, table: 'orders', version: 'updated_at' });
  }
}

@Pipeline({ name: 'order-changes', every: '5s', page: 1_000 })
export class OrderChanges {
  readonly from: Source;
  readonly to: Sink;

  constructor({ shop, warehouse }: Databases) {
    const names = { table: 'orders', publication: 'shop', slot: 'order_changes' };
    this.from = postgresReplication({ url: shop, ...names, createSlot: true });
    this.to = postgresUpsert({ url: warehouse, table: 'orders', deleted: '_deleted' });
  }
}

const Price = z.object({ sku: z.string(), price: z.coerce.number() });
type Price = z.infer<typeof Price>;
class SetPrice extends Message('prices.set', Price) {}

@Pipeline({ name: 'price-list', cron: '0 6 * * *', tz: 'Europe/Madrid', schema: Price })
export class PriceList {
  readonly from = csvFile({ path: './prices.csv', delimiter: ';' });
  readonly to = messages<Price>({
    message: ({ sku, price }) => new SetPrice({ sku, price }),
    send: ({ sku, price }) => ({ id: `price-${sku}-${price}` }),
  });
}

@Injectable()
export class SyncDesk {
  constructor(private readonly pipelines: Pipelines) {}

  async now() {
    return this.pipelines.run('contacts'); // 'started', or 'running' when one is in work
  }

  /** Reads all of it again, beside the cursor, which stays where it is. */
  async again() {
    return this.pipelines.backfill('contacts', { from: null });
  }

  async troubles() {
    const all = await this.pipelines.list();
    return all.filter(({ state, lag = 0 }) => state === 'failed' || lag > 3_600_000);
  }
}

it('a pipeline of the guide', async () => {
  const providers = [Crm, Databases, ContactsSync, OrdersSync, PriceList, InviteActor, SyncDesk];
  await using t = await TestCallsheet.create({ imports: [SyncModule], providers });
  await t.drain();
  const pipelines = t.get(Pipelines);
  expect((await pipelines.list()).map(({ name }) => name)).toEqual([
    ...['contacts', 'orders', 'price-list'],
  ]);
  expect(await t.get(SyncDesk).now()).toMatchObject({ outcome: 'started' });
  await t.drain();
  expect(t.sent(Invite)).toHaveLength(549);
  expect(await pipelines.get('contacts')).toMatchObject({ rows: 549, bad: 1, pages: 2 });
  expect(await t.get(SyncDesk).troubles()).toEqual([]);
  await t.get(SyncDesk).again();
  await t.drain();
  expect(await pipelines.get('contacts')).toMatchObject({ rows: 1_098, cursor: '550' });
});

serverSuite('postgres', 'changes from a replication slot', () => {
  it('are copied first, then followed', async () => {
    const page = readFileSync(join(ROOT, 'docs/guide/sync.md'), 'utf8');
    const [publish = '', drop = ''] = [...page.matchAll(/```sql\n([^`]*)```/g)].map(
      ([, text = '']) => text,
    );
    const server = await startPostgres({ args: ['-c', 'wal_level=logical'] });
    const databases = {
      shop: await server.createDatabase(),
      warehouse: await server.createDatabase(),
    };
    const [shop, warehouse] = [new Client(databases.shop), new Client(databases.warehouse)];
    try {
      for (const client of [shop, warehouse]) {
        await client.connect();
        await client.query('create table orders (id int primary key, total int)');
      }
      await shop.query(publish);
      await shop.query('insert into orders values (1, 10), (2, 20)');
      const provider = { provide: Databases, useValue: databases };
      const { sync, pipelines, close } = await startPipeline('order-changes', [
        OrderChanges,
        provider,
      ]);
      await sync();
      await pipelines.backfill('order-changes');
      const isCopied = async () => (await pipelines.get('order-changes'))?.rows === 2;
      await eventually(isCopied);
      await shop.query('delete from orders where id = 1; insert into orders values (3, 30)');
      await sync();
      const { rows } = await warehouse.query('select * from orders order by id');
      expect(rows).toEqual([
        { id: 2, total: 20 },
        { id: 3, total: 30 },
      ]);
      await close();
      await shop.query(drop);
    } finally {
      await Promise.all([shop.end(), warehouse.end()]);
      await server.stop();
    }
  });
});
