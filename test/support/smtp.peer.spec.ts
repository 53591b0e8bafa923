import { createTransport } from 'nodemailer';
import { describe, expect, it } from 'vitest';
import { startSmtpPeer } from './smtp.peer.js';

const mail = { from: 'a@example.com', to: 'b@example.com', subject: 'Grüße', text: 'hello' };

describe('startSmtpPeer', () => {
  it('collects mails: envelope and content', async () => {
    const peer = await startSmtpPeer();
    await createTransport(peer.url).sendMail(mail);
    expect(peer.mails).toMatchObject([
      {
        from: 'a@example.com',
        to: ['b@example.com'],
        parsed: { subject: 'Grüße', text: 'hello\n' },
      },
    ]);
  });

  it('refuses the next mails, and recipients, with the code it was told', async () => {
    const peer = await startSmtpPeer();
    const transport = createTransport(peer.url);
    peer.refuseNext(1, 421);
    await expect(transport.sendMail(mail)).rejects.toMatchObject({ responseCode: 421 });
    peer.refuseRecipients(/^nobody@/);
    await expect(transport.sendMail({ ...mail, to: 'nobody@example.com' })).rejects.toMatchObject({
      responseCode: 550,
    });
    await transport.sendMail(mail);
    expect([peer.mails.length, peer.refused]).toEqual([1, 2]);
  });

  it('goes away, and comes back on the same port', async () => {
    const peer = await startSmtpPeer();
    await peer.stop();
    await expect(createTransport(peer.url).sendMail(mail)).rejects.toThrow('ECONNREFUSED');
    await peer.start();
    await createTransport(peer.url).sendMail(mail);
    expect(peer.mails).toHaveLength(1);
  });
});
