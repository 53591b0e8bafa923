import tab from '@bomb.sh/tab/commander';
import type { Command } from 'commander';

/** `completion bash|zsh|fish`: what a shell needs to complete commands and options with the Tab key. */
export function addCompletion(program: Command): void {
  tab(program, { completionCommandName: 'completion' });
}
