import { expect, it } from 'vitest';
import { shellOf } from '../test/terminal.js';
import { argument, Output } from './output.js';

it.each([false, true])('shows text of others without what moves a cursor: as JSON %s', (isJson) => {
  const shell = shellOf({});
  const shown = 'a\u009b31mb\u202ec\u001b[2J';
  new Output(shell, isJson).show({ shown }, () => `it is ${shown}`);
  const text = shell.stdout.text;
  expect(text).toBe(
    isJson ? `${JSON.stringify({ shown })}\n` : 'it is a\ufffd31mb\ufffdc\ufffd[2J\n',
  );
});

it.each([
  ['plain-1/2', 'plain-1/2'],
  ["it's; rm -rf $HOME", String.raw`'it'\''s; rm -rf $HOME'`],
  ['--all', '-- --all'],
])('writes %s as one word of a shell', (text, word) => {
  expect(argument(text)).toBe(word);
});
