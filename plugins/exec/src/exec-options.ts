// The options that both nodes have: which program runs, and how it ends.
import { isAbsolute, join } from 'node:path'
import { choice, duration, path, programArgument } from '@millrace/engine/plugin'
import type { ProgramNeed } from '@millrace/engine/plugin'
import { z } from 'zod'

const MOST_ARGUMENTS = 1000
const MOST_VARIABLES = 100
/** POSIX.1-2017, Base Definitions 8.1. */
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/
/**
 * The engine gives a node 5 s to release what it holds, for example before another node opens the same device: the program
 * should be gone by then.
 */
const DEFAULT_GRACE = '4s'

const noNul = (text: string): boolean => !text.includes('\0')

/** `reload`: what a change of the command, its folder or its variables does. */
export function programOptions(reload: 'source' | 'swap') {
  return {
    command: z
      .array(programArgument(), {
        error: 'must be a list, [program, argument, ...]: no shell splits a text, or expands $NAME and *',
      })
      .min(1)
      .max(MOST_ARGUMENTS)
      .refine(([program]) => program !== '', 'must begin with a program')
      .meta({
        description:
          'The program, a name in PATH or a path relative to `cwd`, and its arguments. There is no shell: each argument is passed on as it is.',
        reload,
      }),
    cwd: path({ exists: 'expected', is: 'folder' }).prefault('.').meta({
      description: 'Working folder of the program, relative to the folder of the YAML file, which is the default.',
      reload,
    }),
    env: z
      .record(z.string().regex(VARIABLE, 'must be the name of a variable'), z.string().refine(noNul))
      .refine((env) => Object.keys(env).length <= MOST_VARIABLES, `must have at most ${MOST_VARIABLES} variables`)
      .prefault({})
      .meta({
        description:
          'Variables for the program. Of its own, the engine passes on only PATH, HOME, USER, LOGNAME, LANG, LANGUAGE, LC_*, TZ, TMPDIR, LD_LIBRARY_PATH, SSL_CERT_FILE and SSL_CERT_DIR.',
        reload,
      }),
    restart: choice('always', 'on-failure', 'never').default('always').meta({
      description:
        'When a program that has ended is started again, after the back-off of the engine: `always`; `on-failure`, unless its exit code is 0; or `never`. Otherwise the node has ended.',
      reload: 'live',
    }),
    stopSignal: choice('SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGKILL')
      .default('SIGTERM')
      .meta({
        description:
          'The signal that asks the program to end. It goes to everything that the program has started, too.',
        reload: 'live',
      }),
    grace: duration({ max: 300_000 }).prefault(DEFAULT_GRACE).meta({
      description:
        'How long the program has to end after that, before it is killed. The engine waits up to 5 s for a node, and up to 4 s when it stops.',
      reload: 'live',
    }),
    exclusive: z.string().min(1).optional().meta({
      description:
        'Name of something that only one program can use at a time, such as a capture card. Two nodes with the same name are refused; at a reload, the old program ends before the new one starts.',
      reload: 'swap',
    }),
  } as const
}

interface ProgramOptions {
  readonly command: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
}

/** For `programs` of a definition. */
export function programsOf({ command: [program = ''], cwd, env }: ProgramOptions): readonly ProgramNeed[] {
  if (program.includes('/')) return [{ program: isAbsolute(program) ? program : join(cwd, program) }]
  const { PATH } = env
  return [PATH === undefined ? { program } : { program, path: PATH }]
}

/** For `exclusive` of a definition. */
export function resourcesOf({ exclusive }: { readonly exclusive?: string | undefined }) {
  return exclusive === undefined ? [] : [{ kind: 'device' as const, name: exclusive }]
}

/** Whether a program that has ended is started again. */
export function isRestarted(
  restart: 'always' | 'on-failure' | 'never',
  { code, failure }: { readonly code: number | null; readonly failure?: unknown },
): boolean {
  if (failure !== undefined || restart === 'always') return true
  return restart === 'on-failure' && code !== 0
}
