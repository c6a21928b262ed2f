// The mistakes that a configuration can have. The hint is the help of a diagnostic that has no better one.
import { defineErrors } from '../../errors.js'

export const configError = defineErrors({
  CONFIG_UNREADABLE: {
    sentence: 'A configuration file cannot be read.',
    hint: 'check the path and the permissions; the file must be UTF-8 text',
    reaction: 'config',
  },
  CONFIG_TOO_LARGE: {
    sentence: 'A configuration file is larger than 1 MiB.',
    hint: 'split it: `engine run` takes several files',
    reaction: 'config',
  },
  CONFIG_SYNTAX: {
    sentence:
      'A configuration file is not valid YAML 1.2, or uses a feature of YAML that configuration does not allow.',
    hint: 'indent with spaces, two per level, and quote text that contains special characters',
    reaction: 'config',
  },
  CONFIG_UNQUOTED: {
    sentence: 'A ${...} or a * is not quoted where YAML gives those characters a special meaning.',
    hint: 'put the text in double quotes',
    reaction: 'config',
  },
  CONFIG_ALIASES: {
    sentence: 'The aliases of a configuration file, or the templates of all files, expand to too many values.',
    hint: 'use fewer or smaller anchors',
    reaction: 'config',
  },
  CONFIG_INTERPOLATION: {
    sentence: 'A ${...} is not a valid expression.',
    hint: 'write ${NAME}, ${NAME:-default} or ${NAME:?why it is needed}; $${ stands for a literal ${',
    reaction: 'config',
  },
  CONFIG_UNSET_VARIABLE: {
    sentence: 'An environment variable that the configuration needs is not set.',
    hint: 'set it, or give a default: ${NAME:-default}',
    reaction: 'config',
  },
  CONFIG_ENV_FILE: {
    sentence: 'A line of an environment file is not valid.',
    hint: 'write KEY=VALUE on one line, with the value in quotes if it contains a # or spaces at its ends',
    reaction: 'config',
  },
  CONFIG_SET: {
    sentence: 'A --set does not have the form path=value, or its path does not exist.',
    hint: 'write --set path.to.option=value, as in --set pipelines.live.outputs.ts.path=/live.ts',
    reaction: 'config',
  },
  CONFIG_UNKNOWN_SECRET: {
    sentence: 'A ${secret:name} names a secret that is not declared.',
    hint: 'declare it: secrets: { name: { env: VARIABLE } }, or { file: path }',
    reaction: 'config',
  },
  CONFIG_SECRET_FILE: {
    sentence: 'The file of a secret cannot be read, is empty, is larger than 64 KiB, or is not a regular file.',
    hint: 'check the path, which is relative to the folder of the YAML file, and the permissions',
    reaction: 'config',
  },
  CONFIG_SECRET_EXPOSED: {
    sentence: 'Every user of the machine can read the file of a secret (a warning).',
    hint: 'remove the permission: chmod o-r',
    reaction: 'config',
  },
  CONFIG_SECRET_PLAIN: {
    sentence: 'A secret stands in a file of the configuration in clear (a warning).',
    hint: 'declare it, secrets: { name: { env: VARIABLE } } or { file: path }, and write ${secret:name} in its place',
    reaction: 'config',
  },
  CONFIG_SECRET_SHORT: {
    sentence: 'A secret is too short to be masked inside other text (a warning).',
    hint: 'choose a longer one',
    reaction: 'config',
  },
  CONFIG_FILE_KIND: {
    sentence: 'An option names a folder where a file is needed, or a file where a folder is needed.',
    hint: 'check the path, which is relative to the folder of the YAML file',
    reaction: 'config',
  },
  CONFIG_MISSING_FILE: {
    sentence: 'A file or folder that an option names does not exist (a warning where the node waits for it).',
    hint: 'check the path, which is relative to the folder of the YAML file',
    reaction: 'config',
  },
  CONFIG_MISSING_PROGRAM: {
    sentence: 'A program that a node cannot do without is not installed.',
    hint: 'install it, or say where it is: `engine: { ffmpeg: /path/to/ffmpeg }`',
    reaction: 'config',
  },
  CONFIG_UNFIT_PROGRAM: {
    sentence: 'A program is installed, but cannot do what a node needs.',
    hint: 'install a build that can, or change the options of the node',
    reaction: 'config',
  },
  CONFIG_INCLUDE: {
    sentence: 'An entry of include is not valid, or too many files are included.',
    hint: 'name a file, or the files of one folder, as in channels/*.yaml',
    reaction: 'config',
  },
  CONFIG_INCLUDE_CYCLE: {
    sentence: 'A file includes itself, directly or through other files.',
    hint: 'remove the entry: every file is read once, whichever file includes it',
    reaction: 'config',
  },
  CONFIG_INCLUDE_UNMATCHED: {
    sentence: 'No file matches an entry of include (a warning).',
    hint: 'check the path, which is relative to the folder of the file that contains it',
    reaction: 'config',
  },
  CONFIG_UNKNOWN_TEMPLATE: {
    sentence: 'A pipeline uses a template that does not exist.',
    hint: 'declare it under templates:',
    reaction: 'config',
  },
  CONFIG_UNKNOWN_PARAMETER: {
    sentence: 'A template does not declare a parameter that it uses, or that a pipeline sets.',
    hint: 'declare it in the template: parameters: { name: {} }',
    reaction: 'config',
  },
  CONFIG_MISSING_PARAMETER: {
    sentence: 'A pipeline does not set a parameter that its template requires.',
    hint: 'add it under with:',
    reaction: 'config',
  },
  CONFIG_UNUSED_PARAMETER: {
    sentence: 'A template declares a parameter that nothing in it uses (a warning).',
    hint: 'use it as ${param:name}, or remove it',
    reaction: 'config',
  },
  CONFIG_VERSION: {
    sentence: 'The version of the configuration format is missing or not supported.',
    hint: 'begin the file with version: 1',
    reaction: 'config',
  },
  CONFIG_UNKNOWN_KEY: {
    sentence: 'A key is not known where it is used.',
    hint: 'remove it, or look up the right name with `engine inspect`',
    reaction: 'config',
  },
  CONFIG_MISSING_KEY: {
    sentence: 'An option or a section that is required is not there.',
    hint: 'add it',
    reaction: 'config',
  },
  CONFIG_WRONG_TYPE: {
    sentence: 'A value does not have the expected type.',
    hint: 'look up the type with `engine inspect`',
    reaction: 'config',
  },
  CONFIG_OUT_OF_RANGE: {
    sentence: 'A value is too small or too large.',
    hint: 'choose a value within the bounds',
    reaction: 'config',
  },
  CONFIG_WRONG_VALUE: {
    sentence: 'An option has a value that is not one of those it takes.',
    hint: 'the message says what is expected; `engine inspect` lists the options of a type',
    reaction: 'config',
  },
  CONFIG_BAD_ID: {
    sentence: 'A name has characters that names cannot have, or is too long.',
    hint: 'use lowercase letters, digits and hyphens, and begin with a letter',
    reaction: 'config',
  },
  CONFIG_DUPLICATE_ID: {
    sentence: 'Two things have the same id.',
    hint: 'rename one of them',
    reaction: 'config',
  },
  CONFIG_WAS: {
    sentence: 'The key was of a node names an id that another node has, or also claims.',
    hint: 'name the id that this node had before, or remove the key',
    reaction: 'config',
  },
  CONFIG_DUPLICATE_SECTION: {
    sentence: 'Two files have a section that is allowed only once.',
    hint: 'keep it in one of the files',
    reaction: 'config',
  },
  CONFIG_EMPTY: {
    sentence: 'There is nothing to run.',
    hint: 'add an input and an output that reads from it',
    reaction: 'config',
  },
  CONFIG_UNKNOWN_TYPE: {
    sentence: 'No installed plugin provides a node of that kind and type.',
    hint: 'correct the type, or install the plugin that provides it beside the YAML file',
    reaction: 'config',
  },
  CONFIG_UNKNOWN_NODE: {
    sentence: 'A node reads from a node that its pipeline does not have.',
    hint: 'name an input or a transform of the same pipeline',
    reaction: 'config',
  },
  CONFIG_UNKNOWN_PORT: {
    sentence: 'A node reads from a port that does not exist.',
    hint: 'name a port of that node, or leave it out where the node has only one',
    reaction: 'config',
  },
  CONFIG_UNKNOWN_LISTENER: {
    sentence: 'A node names a listener that does not exist.',
    hint: 'declare it under listeners:, or use api, which always exists',
    reaction: 'config',
  },
  CONFIG_WRONG_LISTENER: {
    sentence: 'A node names a listener that speaks another protocol.',
    hint: 'name a listener of the protocol that the node needs, or declare one under listeners:',
    reaction: 'config',
  },
  CONFIG_UNKNOWN_AUTH: {
    sentence: 'A node or an auth provider names an auth provider that does not exist.',
    hint: 'declare it under auth:',
    reaction: 'config',
  },
  CONFIG_AUTH_ACTION: {
    sentence: 'A node names an auth provider that does not admit the clients of that node: viewers, or publishers.',
    hint: 'name another provider, or add the action to its option actions',
    reaction: 'config',
  },
  CONFIG_FROM_LIST: {
    sentence: 'A node that reads one stream is given several.',
    hint: 'name one node',
    reaction: 'config',
  },
  CONFIG_CYCLE: {
    sentence: 'A node reads from itself, directly or through other nodes.',
    hint: 'let one of them read from an input',
    reaction: 'config',
  },
  CONFIG_KIND_MISMATCH: {
    sentence: 'A node reads chunks of a kind that it does not accept.',
    hint: 'put a transform between them that produces the kind that is needed',
    reaction: 'config',
  },
  CONFIG_STREAM: {
    sentence: 'A pattern pipeline cannot have a copy for each published stream.',
    hint: 'put ${stream}, the key of the stream, into everything that only one copy can have',
    reaction: 'config',
  },
  CONFIG_UNEXPECTED: {
    sentence: 'Options of a node do something that the user may not expect (a warning).',
    hint: 'change the options if this is not what you want',
    reaction: 'config',
  },
  CONFIG_EXCLUSIVE: {
    sentence: 'Two nodes or listeners need a resource that only one of them can have.',
    hint: 'use a different path or address for one of them',
    reaction: 'config',
  },
})

export type ConfigErrorCode = keyof typeof configError.table & string
