import { Actor, DeadLetters, Handle, Message } from '@callsheet/messaging';
import { TestCallsheet } from '@callsheet/messaging/testing';
import { Injectable } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

export class Import extends Message('stock.import', z.object({ sku: z.string() })) {}

@Actor({ retry: { attempts: 2, delay: '1s' } })
export class StockActor {
  readonly imported: string[] = [];

  @Handle(Import) import({ sku }: Import) {
    if (!/^[A-Z]+-\d+$/.test(sku)) throw new Error(`cannot read sku '${sku}'`);
    this.imported.push(sku);
  }
}

@Injectable()
export class Mending {
  constructor(private readonly letters: DeadLetters) {}

  async mend() {
    const [trouble] = await this.letters.groups({ actor: 'stock' }); // the most frequent first
    const some = await this.letters.list({ fingerprint: trouble!.fingerprint });
    for (const letter of some) {
      const { sku } = letter.envelope.data as { sku: string };
      if (sku === '') await this.letters.discard(letter.envelope.id);
      else await this.letters.redrive(letter.envelope.id, { sku: sku.toUpperCase() });
    }
    await this.letters.redriveAll({ reason: 'crashed' });
    return trouble!.count;
  }
}

describe('dead letters', () => {
  it('are grouped by trouble, mended and redriven', async () => {
    const t = await TestCallsheet.create({ providers: [StockActor, Mending] });
    for (const sku of ['ab-1', 'cd-22', '', 'OK-1']) await t.actors.tell(new Import({ sku }));
    await t.advance('1m');
    expect(t.dead).toHaveLength(3);
    expect(await t.get(Mending).mend()).toBe(3);
    await t.drain();
    expect(t.get(StockActor).imported).toEqual(['OK-1', 'AB-1', 'CD-22']);
    expect(t.dead).toEqual([]);
    await t.close();
  });
});
