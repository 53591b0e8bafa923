import { expect, it } from 'vitest';
import { hostNameOf, isLoopback } from './loopback.js';

it.each([
  ['localhost', true],
  ['LocalHost', true],
  ['127.0.0.1', true],
  ['127.8.9.10', true],
  ['::1', true],
  ['[::1]', true],
  ['', false],
  ['0.0.0.0', false],
  ['::', false],
  ['128.0.0.1', false],
  ['127.0.0', false],
  ['127.0.0.999', false],
  ['127.0.0.1.evil.example', false],
  ['localhost.evil.example', false],
  ['127.evil.example', false],
])('%s means this machine alone: %s', (host, expected) => {
  expect(isLoopback(host)).toBe(expected);
});

it.each([
  ['jobs.example.org:3000', 'jobs.example.org'],
  ['jobs.example.org', 'jobs.example.org'],
  ['[::1]:3000', '[::1]'],
  [undefined, ''],
])('the name in the header Host %s is %s', (header, name) => {
  expect(hostNameOf(header)).toBe(name);
});
