// Mistakes in the text of files: bytes, YAML syntax, variables, secrets. The rows about what the text means are in
// config-errors.test.ts.
import { pipelineWith } from '../example-config.test.js'
import type { LoadOptions } from '../load-config.js'

/** Files, and the diagnostics that they cause. */
export interface Mistake {
  readonly name: string
  readonly files: Readonly<Record<string, string | Uint8Array>>
  /** `CODE file:line:column` of every diagnostic, in order. */
  readonly found: readonly string[]
  readonly help?: RegExp
  readonly message?: RegExp
  readonly run?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly options?: Partial<LoadOptions>
  /** There are only warnings. */
  readonly good?: boolean
}

/** For files whose mistake is elsewhere. */
export const GOOD_OUTPUT = 'ts: { type: http-ts, from: main, path: /a }'
/** One file, named `a`. */
export const one = (text: string): { readonly a: string } => ({ a: text })

export const TEXT_MISTAKES: readonly Mistake[] = [
  {
    name: 'a missing file',
    files: {},
    run: ['gone'],
    found: ['CONFIG_UNREADABLE gone:1:1'],
    message: /does not exist/,
  },
  { name: 'a file that is not UTF-8', files: { a: Uint8Array.of(0xff, 0xfe) }, found: ['CONFIG_UNREADABLE a:1:1'] },
  { name: 'a huge file', files: one('#'.repeat(1024 * 1024 + 1)), found: ['CONFIG_TOO_LARGE a:1:1'] },
  { name: 'a tab', files: one('version: 1\npipelines:\n\tone: 1\n'), found: ['CONFIG_SYNTAX a:3:1'], help: /spaces/ },
  { name: 'bad indentation', files: one('version: 1\npipelines:\n  a: 1\n b: 2\n'), found: ['CONFIG_SYNTAX a:4:2'] },
  { name: 'an open quote', files: one('version: 1\npipelines: "a\n'), found: ['CONFIG_SYNTAX a:2:12'] },
  { name: 'two documents', files: one('version: 1\n---\nversion: 1\n'), found: ['CONFIG_SYNTAX a:2:1'] },
  { name: 'a tag', files: one('version: !one 1\n'), found: ['CONFIG_SYNTAX a:1:10'], help: /quote/ },
  {
    name: 'deep nesting',
    files: one(`version: ${'['.repeat(200)}${']'.repeat(200)}\n`),
    found: ['CONFIG_SYNTAX a:1:109'],
  },
  {
    name: 'nesting that would crash the parser',
    files: one(`version: 1\nplugins:\n${'- '.repeat(50_000)}\n`),
    found: ['CONFIG_SYNTAX'],
  },
  {
    name: 'a duplicate key, and other mistakes of the file',
    files: one(`${pipelineWith({ outputs: 'ts: { type: http-ts, from: mian, path: /a }' })}version: 1\n`),
    found: ['CONFIG_UNKNOWN_NODE a:8:34', 'CONFIG_SYNTAX a:9:1'],
  },
  {
    name: 'an unquoted variable in braces',
    files: one('version: 1\npipelines: { a: ${X}, b: 1 }\n'),
    found: ['CONFIG_UNQUOTED a:2:17'],
    help: /"\$\{NAME\}"/,
  },
  {
    name: 'an unquoted star',
    files: one('version: 1\npipelines: *\n'),
    found: ['CONFIG_UNQUOTED a:2:12'],
    help: /"\*"/,
  },
  {
    name: 'a star that looks like an alias',
    files: one('version: *.ts\n'),
    found: ['CONFIG_EMPTY a:1:1', 'CONFIG_UNQUOTED a:1:10'],
  },
  {
    name: 'an alias bomb',
    files: one(
      [
        'version: 1',
        'plugins:',
        ' - &a [x,x,x,x,x,x,x,x,x,x]',
        ...'bcdefgh'
          .split('')
          .map((name, index) => ` - &${name} [${Array(10).fill(`*${'abcdefg'[index]}`).join(',')}]`),
      ].join('\n'),
    ),
    found: ['CONFIG_ALIASES'],
  },
  {
    name: 'a variable with a bad name',
    files: one(pipelineWith({ outputs: GOOD_OUTPUT, top: 'engine: { stateDir: "x${1}" }' })),
    found: ['CONFIG_INTERPOLATION a:3:23'],
  },
  {
    name: 'a secret that is not declared',
    files: one(
      pipelineWith({
        outputs: GOOD_OUTPUT,
        top: 'secrets: { anna: { env: A } }\nengine: { stateDir: "${secret:ana}" }',
      }),
    ),
    env: { A: 'hunter2' },
    found: ['CONFIG_UNKNOWN_SECRET a:4:22'],
    help: /did you mean "anna"/,
  },
  {
    name: 'a secret that is not a file, and one that is not set',
    files: one(pipelineWith({ top: 'secrets: { anna: { file: . }, bert: { env: BERT } }' })),
    found: ['CONFIG_SECRET_FILE a:3:26', 'CONFIG_UNSET_VARIABLE a:3:44'],
    message: /is not a regular file/,
  },
  {
    name: 'a secret that everybody can read, and one that is too short to be masked',
    files: one(pipelineWith({ top: 'secrets: { anna: { file: /etc/passwd }, bert: { env: BERT } }' })),
    env: { BERT: 'abc' },
    good: true,
    found: ['CONFIG_SECRET_EXPOSED a:3:26', 'CONFIG_SECRET_SHORT a:3:41'],
  },
  {
    name: 'a wrong line of an environment file',
    files: one(pipelineWith({})),
    options: { envFiles: ['x'], contents: new Map([['x', 'A=1\n  B 2\nC="x\n']]) },
    found: ['CONFIG_ENV_FILE x:2:3', 'CONFIG_ENV_FILE x:3:1'],
  },
  {
    name: 'a flag without a value, and one whose path does not exist',
    files: one(pipelineWith({})),
    options: { sets: ['engine', 'pipelines.oen.description=x'] },
    found: ['CONFIG_SET --set 1:1:1', 'CONFIG_SET --set 2:1:11'],
    help: /did you mean "one"/,
  },
  {
    name: 'a variable that is not closed',
    files: one(pipelineWith({ top: 'engine:\n  stateDir: ${A:-b # c}' })),
    found: ['CONFIG_INTERPOLATION a:4:13'],
  },
  {
    name: 'a variable that is not set, with its reason',
    files: one(pipelineWith({ top: 'engine:\n  stateDir: x-${A_DIR:?where state goes}' })),
    found: ['CONFIG_UNSET_VARIABLE a:4:15'],
    message: /A_DIR is not set: where state goes/,
  },
]
