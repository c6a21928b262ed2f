// Definitions and files for the tests of this folder: small stand-ins for the built-in plugins.
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { NEVER } from 'rxjs'
import { z } from 'zod'
import type { Definition } from '../plugin/contract.js'
import { defineInput, defineOutput, defineService, defineTransform } from '../plugin/define.js'
import {
  authName,
  choice,
  count,
  duration,
  flag,
  listenerName,
  path,
  programArgument,
  rate,
  secret,
  size,
  url,
} from '../plugin/options.js'
import { registryOf } from '../plugin/registry.js'
import { loadConfig } from './load-config.js'
import type { LoadedConfig, LoadOptions } from './load-config.js'

const open = (): never => {
  throw new Error('configuration opens nothing')
}

const file = defineInput({
  type: 'file',
  summary: 'Packets from a file.',
  produces: 'bytes',
  options: z.strictObject({
    path: path().meta({ description: 'The file.', reload: 'source' }),
    loop: flag().prefault(false).meta({ description: 'Start over at the end.' }),
    pace: choice('pcr', 'none').prefault('pcr').meta({ description: 'By which clock to read.' }),
    password: secret().optional().meta({ description: 'For a protected file.' }),
    mirrors: z
      .array(
        z.union([
          url({ schemes: ['http'] }),
          z.strictObject({
            at: path().meta({ description: 'Where.' }),
            weight: count({ max: 10 }).meta({ description: 'How often.' }),
          }),
        ]),
      )
      .optional()
      .meta({ description: 'Where else it is.' }),
  }),
  examples: [],
  open,
})

const publishing = defineInput({
  type: 'pub',
  summary: 'Published streams.',
  produces: 'bytes',
  options: z.strictObject({ note: z.string().optional().meta({ description: 'What it is for.' }) }),
  examples: [],
  open,
  publishers: () => NEVER,
})

const gop = defineTransform({
  type: 'gop',
  summary: 'Cuts at key frames.',
  consumes: ['ts'],
  inlets: 'one',
  ports: [{ name: 'out', kind: 'gop' }],
  options: z.strictObject({
    maxDuration: duration({ min: 1000 }).prefault('10s').meta({ description: 'Longest group of pictures.' }),
  }),
  examples: [],
  open,
})

const failover = defineTransform({
  type: 'failover',
  summary: 'Picks one of its sources.',
  consumes: ['ts'],
  inlets: 'many',
  ports: [{ name: 'out', kind: 'ts' }],
  options: z.strictObject({ floor: rate().optional().meta({ description: 'Lowest rate.' }) }),
  examples: [],
  open,
})

const split = defineTransform({
  type: 'split',
  summary: 'Two streams out of one.',
  consumes: ['ts'],
  inlets: 'one',
  ports: [
    { name: '720p', kind: 'ts' },
    { name: '360p', kind: 'ts' },
  ],
  options: z.strictObject({
    args: z.array(programArgument()).optional().meta({ description: 'Of a program.' }),
  }),
  examples: [],
  open,
})

const filter = defineTransform({
  type: 'filter',
  summary: 'A program that cannot do what it needs.',
  consumes: ['ts'],
  inlets: 'one',
  ports: [{ name: 'out', kind: 'ts' }],
  options: z.strictObject({ program: z.string().meta({ description: 'Which one.' }) }),
  programs: ({ program }) => [
    {
      ...{ program, install: 'apt-get install it' },
      examine: () => Promise.resolve({ version: '1', lacks: [{ what: 'has no x264', help: 'install another one' }] }),
    },
  ],
  examples: [],
  open,
})

const encode = defineTransform({
  type: 'encode',
  summary: 'A port for each height; wrong ones by request.',
  consumes: ['ts', 'gop'],
  inlets: 'one',
  ports({ heights, wrong }) {
    if (wrong === 'throws') throw new Error('no rungs today')
    if (wrong === 'many') return Array.from({ length: 1000 }, (_, n) => ({ name: `p${n}`, kind: 'ts' }))
    return [...heights, ...(wrong === 'twice' ? heights : [])].map((height) => ({ name: `${height}p`, kind: 'bytes' }))
  },
  options: z.strictObject({
    heights: z.array(z.number()).default([720, 360]).meta({ description: 'Of the pictures.' }),
    wrong: z.string().default('').meta({ description: 'What is wrong with the ports.' }),
  }),
  examples: [],
  open,
})

const httpTs = defineOutput({
  type: 'http-ts',
  summary: 'To viewers.',
  consumes: ['ts', 'gop'],
  inlets: 'one',
  options: z.strictObject({
    path: z.string().startsWith('/').meta({ description: 'Path of the URL.' }),
    listener: listenerName().prefault('web').meta({ description: 'Which socket.' }),
    auth: z
      .union([authName(), z.array(authName())])
      .optional()
      .meta({ description: 'Who may watch.' }),
    window: z
      .strictObject({
        duration: duration().prefault('10s').meta({ description: 'How much is kept.' }),
        size: size({ max: 1024 ** 3 })
          .prefault('64MiB')
          .meta({ description: 'How much at most.' }),
      })
      .prefault({}),
  }),
  exclusive(options) {
    return [{ kind: 'http', listener: options.listener, path: options.path }]
  },
  examples: [],
  open,
})

const hls = defineOutput({
  type: 'hls',
  summary: 'Segments.',
  consumes: ['gop'],
  inlets: 'one',
  options: z.strictObject({
    relay: listenerName('tcp').optional().meta({ description: 'A listener of another protocol.' }),
  }),
  examples: [],
  open,
})

const faulty = defineOutput({
  type: 'faulty',
  summary: 'Has an exclusive() that throws.',
  consumes: ['ts'],
  inlets: 'one',
  options: z.strictObject({}),
  exclusive() {
    throw new Error('not today')
  },
  examples: [],
  open,
})

const texts = defineOutput({
  type: 'texts',
  summary: 'Has an exclusive() of the old form, and warnings.',
  consumes: ['ts'],
  inlets: 'one',
  options: z.strictObject({
    odd: z.enum(['no', 'yes', 'broken']).default('no').meta({ description: 'What it warns of.' }),
  }),
  exclusive: ({ odd }) => (odd === 'no' ? (['stdin'] as never) : []),
  warnings({ odd }) {
    if (odd === 'broken') throw new Error('not today')
    return odd === 'yes' ? ['that is odd'] : []
  },
  examples: [],
  open,
})

const prometheus = defineService({
  type: 'prometheus',
  summary: 'Metrics.',
  options: z.strictObject({
    listener: listenerName().prefault('api').meta({ description: 'Which socket.' }),
    path: z.string().default('/metrics').meta({ description: 'Path of the URL.' }),
  }),
  examples: [],
  open,
})

export const EXAMPLE_DEFINITIONS: readonly Definition[] = [
  file,
  publishing,
  gop,
  failover,
  split,
  encode,
  filter,
  httpTs,
  hls,
  faulty,
  texts,
  prometheus,
]

/** Finds the definitions above, whatever the YAML says. */
export const examplePlugins: NonNullable<LoadOptions['plugins']> = () =>
  Promise.resolve({ registry: registryOf(EXAMPLE_DEFINITIONS), problems: [] })

/** Writes files into a temporary folder, and loads those that are named. */
export async function loadFiles(
  contents: Readonly<Record<string, string | Uint8Array>>,
  names: readonly string[] = Object.keys(contents),
  options: Partial<LoadOptions> = {},
): Promise<LoadedConfig & { readonly folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-config-'))
  try {
    for (const [name, content] of Object.entries(contents)) {
      await mkdir(join(folder, dirname(name)), { recursive: true })
      await writeFile(join(folder, name), content)
    }
    const files = names.map((name) => join(folder, name))
    const loaded = await loadConfig(files, {
      env: {},
      plugins: examplePlugins,
      // Most files of the tests are made up.
      ignoresMissingFiles: true,
      ...options,
    })
    return { ...loaded, folder }
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** A complete file: the input `main` (a file) and the given lines, each under its section. */
export function pipelineWith(sections: { transforms?: string; outputs?: string; top?: string }): string {
  const indent = (text: string): string => text.replaceAll(/^/gm, '      ')
  return [
    'version: 1',
    'listeners: { web: { address: "127.0.0.1:8000" } }',
    ...(sections.top === undefined ? [] : [sections.top]),
    'pipelines:',
    '  one:',
    '    inputs:',
    '      main: { type: file, path: a.ts }',
    ...(sections.transforms === undefined ? [] : ['    transforms:', indent(sections.transforms)]),
    ...(sections.outputs === undefined ? [] : ['    outputs:', indent(sections.outputs)]),
    '',
  ].join('\n')
}

test('the example definitions make a graph', async () => {
  const text = pipelineWith({
    transforms: 'gops: { type: gop, from: main }',
    outputs: 'ts: { type: http-ts, from: gops, path: /a }',
  })
  const { graph, diagnostics } = await loadFiles({ 'live.yaml': text })
  assert.deepEqual(diagnostics, [])
  assert.equal(graph?.pipelines[0]?.nodes.length, 3)
})
