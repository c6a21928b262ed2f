// `engine completion SHELL`: prints the script by which a shell completes the command line.
import { Argument, type Command } from 'commander'
import { commandName } from '../command-name.js'
import { EXIT } from '../exit-codes.js'
import { type CompletedCommand, renderCompletion, type Shell, SHELLS } from '../render-completion.js'
import type { Verb, VerbContext } from '../verb.js'

/** `commands`: all of the program. */
export function completionVerb(commands: () => Promise<readonly Command[]>): Verb & {
  run(context: Pick<VerbContext, 'streams'>, shell: Shell): Promise<number>
} {
  return {
    declare(program: Command): Command {
      return program
        .command('completion')
        .description('print a script by which a shell completes commands and options')
        .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
        .addHelpText('after', '\nFor this shell only: `source <(engine completion bash)`')
    },
    async run({ streams: { out, env } }: Pick<VerbContext, 'streams'>, shell: Shell) {
      out.write(
        renderCompletion(
          shell,
          (await commands()).flatMap((command) => completed(command, '')),
          commandName(env),
        ),
      )
      return EXIT.ok
    },
  }
}

function completed(command: Command, above: string): readonly CompletedCommand[] {
  const name = above + command.name()
  if (command.commands.length > 0) return command.commands.flatMap((each) => completed(each, `${name} `))
  const options = command.options.flatMap(({ long, description, hidden, argChoices = [] }) =>
    typeof long === 'string' && !hidden ? [{ flag: long, description, choices: argChoices }] : [],
  )
  const help = { flag: '--help', description: 'print help', choices: [] }
  const choices = command.registeredArguments[0]?.argChoices ?? []
  return [{ name, description: command.description(), options: [...options, help], choices }]
}
