#!/usr/bin/env node
// The `chainrule` command: reads the command line and hands over to one file per subcommand.
import { Command, CommanderError } from 'commander';
import { TensorError } from '../errors.js';
import { classifyCommand } from './classify.js';
import { demoCommand } from './demo.js';
import { infoCommand } from './info.js';
import { guardPipes } from './stop.js';
import { packageVersion } from './version.js';

const EXIT_CODES = `
Exit codes:
  0    done
  1    it failed: a message on standard error says why
  2    the command line was wrong
  130  stopped by Ctrl-C (129 SIGHUP, 141 broken pipe, 143 SIGTERM)`;

async function main(): Promise<void> {
  guardPipes();
  const program = new Command('chainrule')
    .description('Tensors, automatic differentiation and neural networks for server-side TypeScript.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .showHelpAfterError("Try 'chainrule --help'.");
  for (const command of [demoCommand(), classifyCommand(), infoCommand()]) program.addCommand(command);
  for (const command of [program, ...program.commands]) {
    // Instead of exiting inside the parser, which would make every wrong use a failure with code 1.
    command.exitOverride().addHelpText('after', EXIT_CODES);
    if (command !== program)
      command
        .helpOption('-h, --help', 'print this help')
        .showHelpAfterError(`Try 'chainrule ${command.name()} --help'.`);
  }
  try {
    await program.parseAsync();
  } catch (error) {
    process.exitCode = report(error);
  }
}

/** Tells the user what went wrong; returns the exit code. */
function report(error: unknown): number {
  // Commander has printed its own message.
  if (error instanceof CommanderError) return error.exitCode === 0 || error.code === 'commander.version' ? 0 : 2;
  if (error instanceof TensorError) process.stderr.write(`chainrule: ${error.message}\n`);
  else process.stderr.write(`chainrule: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return 1;
}

await main();
