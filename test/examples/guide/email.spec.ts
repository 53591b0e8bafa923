import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { EmailBounced, SendEmail } from '@callsheet/contracts';
import { Actor, Actors, Handle, Message, On } from '@callsheet/messaging';
import { TestCallsheet } from '@callsheet/messaging/testing';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { mailProviders } from '../../support/mail.providers.js';
import { mailIdOf, startSmtpPeer } from '../../support/smtp.peer.js';

export class BillCustomer extends Message(
  'billing.bill',
  z.object({
    number: z.int(),
    to: z.email(),
    items: z.array(z.object({ count: z.int(), title: z.string(), price: z.string() })),
    total: z.string(),
  }),
) {}

// Names a template and a file: the message stays small.
@Actor()
export class BillingActor {
  constructor(private readonly actors: Actors) {}

  @Handle(BillCustomer)
  async bill({ number, to, items, total }: BillCustomer) {
    const attachments = [{ filename: `${number}.pdf`, ref: `receipts/${number}.pdf` }];
    await this.actors.tell(
      new SendEmail({ to, template: 'receipt', data: { number, items, total }, attachments }),
      { id: `receipt-${number}` },
    );
  }
}

// Whoever keeps addresses marks those that do not exist.
@Actor({ name: 'addresses' })
export class AddressesActor {
  readonly bad = new Set<string>();

  @On(EmailBounced, { when: 'data.permanent' })
  mark({ recipient, status }: EmailBounced) {
    if (status.startsWith('5.1.')) this.bad.add(recipient); // it is about the address
  }
}

it('sends a receipt with its file, and marks who does not exist', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'attachments-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await mkdir(path.join(folder, 'receipts'));
  for (const n of [1, 2]) await writeFile(path.join(folder, `receipts/${n}.pdf`), '%PDF-1.7');
  const peer = await startSmtpPeer();
  peer.refuseRecipients(/^nobody@/, 550, '5.1.1 No such user');
  const mail = mailProviders({ SMTP_URL: peer.url, MAIL_ATTACHMENTS: folder });
  const t = await TestCallsheet.create({ providers: [...mail, BillingActor, AddressesActor] });
  onTestFinished(() => t.close());
  const bill = { items: [{ count: 2, title: 'Tea', price: '6.00' }], total: '6.00' };
  await t.actors.tell(new BillCustomer({ ...bill, number: 1, to: 'ada@example.org' }));
  await t.actors.tell(new BillCustomer({ ...bill, number: 2, to: 'nobody@example.org' }));
  await t.drain();
  expect(peer.mails.map(mailIdOf)).toEqual(['receipt-1']);
  expect(peer.mails[0]?.parsed).toMatchObject({
    subject: 'Receipt 1: 6.00',
    attachments: [{ filename: '1.pdf', contentType: 'application/pdf' }],
  });
  expect([...t.get(AddressesActor).bad]).toEqual(['nobody@example.org']);
});
