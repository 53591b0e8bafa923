import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RejectError } from '@callsheet/messaging';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Settings } from '../settings.js';
import { MailTemplates } from './mail.templates.js';

let folder: string;
let templates: MailTemplates;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'templates-'));
  templates = new MailTemplates(new Settings({ MAIL_TEMPLATES: folder }));
});
afterEach(() => rm(folder, { recursive: true }));

async function template(name: string, parts: Record<string, string>): Promise<void> {
  await mkdir(join(folder, name), { recursive: true });
  for (const [part, source] of Object.entries(parts)) {
    await writeFile(join(folder, name, `${part}.liquid`), source);
  }
}

const rendered = async (parts: Record<string, string>, data: Record<string, unknown> = {}) => {
  await template('t', { subject: 'Hello', ...parts });
  return templates.render('t', data);
};

const refusal = async (rendering: Promise<unknown>): Promise<string> => {
  const error = await rendering.then(
    (content) => content,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(RejectError);
  return (error as Error).message;
};

describe('a mail template', () => {
  it('makes subject and bodies of its data, escaped in HTML alone', async () => {
    const parts = {
      subject: 'Hi {{ name }}\n',
      text: '{% for n in list %}{{ n }},{% endfor %}{{ name }}',
      html: '<b>{{ name }}</b>{{ name | raw }}',
    };
    expect(await rendered(parts, { name: '<i>Ada & Co</i>', list: [1, 2] })).toEqual({
      subject: 'Hi <i>Ada & Co</i>',
      text: '1,2,<i>Ada & Co</i>',
      html: '<b>&lt;i&gt;Ada &amp; Co&lt;/i&gt;</b><i>Ada & Co</i>',
    });
  });

  it('may have one body only, and is read anew each time', async () => {
    expect(await rendered({ html: 'a' })).toEqual({ subject: 'Hello', html: 'a' });
    expect(await rendered({ html: 'b' })).toEqual({ subject: 'Hello', html: 'b' });
  });

  it('that needs a field which is missing is refused, and the field is named', async () => {
    const text = 'Hi {{ user.name }}';
    const name = "the mail template 't' needs data.user.name, which is missing (text.liquid)";
    expect(await refusal(rendered({ text }, { user: {} }))).toBe(name);
    const html = '{% for item in items %}{{ item }}{% endfor %}';
    expect(await refusal(rendered({ text: 'x', html }))).toContain('needs data.items');
  });

  it('may ask whether a field is there', async () => {
    const text = "{% if name %}{{ name }}{% endif %}{{ city | default: 'nowhere' }}";
    expect(await rendered({ text })).toMatchObject({ text: 'nowhere' });
  });

  it.each([
    'constructor',
    '__proto__',
    'toString',
    'a.constructor',
    'a.__proto__',
    'name.constructor',
    'list.push',
    'list.constructor.constructor',
  ])('does not reach %s', async (path) => {
    const data = { a: { b: 1 }, name: 'Ada', list: [1] };
    expect(await refusal(rendered({ text: `{{ ${path} }}` }, data))).toContain('which is missing');
  });

  it.each([
    ['include', "{% include '/etc/passwd' %}"],
    ['render', "{% render '../../secret' %}"],
    ['layout', "{% layout 'other' %}"],
    ['a filter that there is not', '{{ 1 | exec }}'],
    ['a tag that is not closed', '{% if a %}'],
    ['a list of a billion', '{% for i in (1..1000000000) %}{% endfor %}'],
    ['nothing at all', ' \n'],
  ])('with %s is refused', async (_, text) => {
    expect(await refusal(rendered({ text }))).toContain("the mail template 't'");
  });

  it('has half a second for all of its parts', async () => {
    const rounds = '{% for a in list %}{% for b in list %}{% endfor %}{% endfor %}';
    const list = Array.from({ length: 20_000 }, (_, n) => n);
    const begin = performance.now();
    const parts = { subject: `a${rounds}`, text: `a${rounds}`, html: `a${rounds}` };
    expect(await refusal(rendered(parts, { list }))).toMatch(/subject.liquid: .*limit exceeded/);
    expect(performance.now() - begin).toBeLessThan(5_000);
  });

  it('runs no code of its data', async () => {
    const name = '{{ constructor }}{% include "x" %}${1+1}';
    expect(await rendered({ text: '{{ name }}' }, { name })).toMatchObject({ text: name });
  });

  it.each(['Ada\r\nBcc: eve@example.org', 'Ada\nBcc: eve@example.org', 'a\0', '', 'x'.repeat(999)])(
    'does not take %j into its subject',
    async (name) => {
      expect(await refusal(rendered({ subject: '{{ name }}', text: 'x' }, { name }))).toContain(
        "the subject of the mail template 't' must become one line",
      );
    },
  );

  it.each(['other', '..', '../t', 't/../t', '/etc', 'T\0', '', 't/', 'half', 'file'])(
    'is not found under %j, and those there are are named',
    async (name) => {
      await template('t', { subject: 'a', text: 'b' });
      await template('half', { subject: 'a' });
      await writeFile(join(folder, 'file'), '');
      expect(await refusal(templates.render(name, {}))).toMatch(/; there are: half, t$/);
    },
  );
});

describe('the templates that ship', () => {
  const shipped = new MailTemplates(new Settings({}));

  it('welcome', async () => {
    const url = 'https://example.org/?a=1&b=2';
    expect(await shipped.render('welcome', { name: 'Ada', url })).toEqual({
      subject: 'Welcome, Ada',
      text: `Hello Ada,\n\nyour account is ready: ${url}\n`,
      html: '<p>Hello Ada,</p>\n<p>your account is <a href="https://example.org/?a=1&amp;b=2">ready</a>.</p>\n',
    });
    expect(await shipped.render('welcome', { name: 'Ada' })).toMatchObject({
      text: 'Hello Ada,\n\nyour account is ready.\n',
    });
  });

  it('receipt', async () => {
    const items = [
      { count: 1, title: 'Tea', price: '3.00' },
      { count: 2, title: 'Cup', price: '8.00' },
    ];
    const { subject, text } = await shipped.render('receipt', { number: 7, items, total: '11.00' });
    expect(subject).toBe('Receipt 7: 11.00');
    expect(text).toBe(
      'Thank you, dear customer. You bought:\n\n- 1 x Tea: 3.00\n- 2 x Cup: 8.00\n\nTotal: 11.00\n',
    );
  });
});
