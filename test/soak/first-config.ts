// The configuration that a soak starts with and returns to: pipelines whose viewers receive every byte, one that may
// drop packets, and one that relays another.
import { join } from 'node:path'
import process from 'node:process'
import type { ConfigModel, NodeModel, PipelineModel, Settings } from './config-model.js'

/** Path of the output that no edit touches, by pipeline. */
export function referencePath(pipeline: string): string {
  return `/${pipeline}/reference.ts`
}

export const FAST_CLIP = 'fast.ts'
export const MULTI_CLIPS = ['multi.ts', 'multi-b.ts'] as const
export const CARD_CLIP = 'testcard.ts'
/** What all senders of the soak send. */
export const GUEST_CLIP = 'guest.ts'
/** In the folder of the configuration. */
export const SINK_SOCKET = 'sink.sock'
/** Published to the first pattern pipeline. */
const FIRST_KEYS = ['cam-1', 'cam-2', 'tv-1'] as const
/** The listener of the reference outputs: its address never changes. */
export const FIXED_LISTENER = 'fixed'

export interface FirstPorts {
  readonly api: number
  readonly fixed: number
  readonly web: number
  readonly more: number
  readonly pubs: number
  readonly udpIn: number
  readonly udpOut: number
}

export function firstConfig({ api, fixed, web, more, pubs, udpIn, udpOut }: FirstPorts): ConfigModel {
  const upstream = `http://127.0.0.1:${fixed}${referencePath('fast')}`
  return {
    layout: { indent: 2, isFlow: true, isReversed: false, comment: 0 },
    engine: {
      api: { address: `127.0.0.1:${api}` },
      stateDir: 'state',
      drain: '5s',
      log: { level: 'info' },
    },
    listeners: {
      [FIXED_LISTENER]: { address: `127.0.0.1:${fixed}` },
      web: { address: `127.0.0.1:${web}` },
      more: { address: `127.0.0.1:${more}` },
      pubs: { protocol: 'tcp', address: `127.0.0.1:${pubs}` },
    },
    auth: { viewers: { type: 'basic', users: { anna: '${secret:anna}' } } },
    defaults: {},
    services: { metrics: { type: 'prometheus', listener: 'api', path: '/metrics' } },
    pipelines: [
      pipeline('card', { isExact: true }, 'file', fileInput(CARD_CLIP)),
      pipeline('fast', { isExact: true }, 'file', fileInput(FAST_CLIP)),
      pipeline('multi', { isExact: false, clips: MULTI_CLIPS }, 'file', fileInput(MULTI_CLIPS[0])),
      pipeline('relay', { isExact: true, isRelay: true }, 'http', { url: upstream }),
      pipeline('pubs', { isExact: true, keys: FIRST_KEYS }, 'tcp', { listener: 'pubs', streams: '*', linger: '20s' }),
      pipeline('radio', { isExact: true }, 'udp', { address: `127.0.0.1:${udpIn}` }, [
        node('push', 'udp', 'gops', { address: `127.0.0.1:${udpOut}` }),
      ]),
      pipeline('prog', { isExact: true }, 'exec', { command: writeProgram('first') }, [
        node('sink', 'exec', 'gops', { command: forwardProgram('sink', 'first') }),
      ]),
      pipeline('box', { isExact: true }, 'unix', { path: 'box.sock' }),
    ],
    password: 'first password',
  }
}

export function fileInput(path: string): Settings {
  return { path, loop: true }
}

/** The program of an `exec` input. Another word is another command. */
export function writeProgram(word: string): readonly string[] {
  return [process.execPath, join(import.meta.dirname, 'guests/write-stream.js'), GUEST_CLIP, word]
}

/** The program of an `exec` output. The tag is that of one output, from its first program to its last. */
export function forwardProgram(tag: string, word: string): readonly string[] {
  return [process.execPath, join(import.meta.dirname, 'guests/forward-stream.js'), SINK_SOCKET, tag, word]
}

interface Traits {
  readonly isExact: boolean
  readonly clips?: readonly string[]
  readonly isRelay?: boolean
  readonly keys?: readonly string[]
}

function pipeline(
  name: string,
  { isExact, clips = [], isRelay = false, keys }: Traits,
  type: string,
  options: Settings,
  moreOutputs: readonly NodeModel[] = [],
): PipelineModel {
  const folder = keys === undefined ? `/${name}` : `/${name}/\${stream}`
  return {
    name,
    isBase: true,
    isExact,
    clips,
    isRelay,
    keys,
    description: `pipeline ${name}`,
    place: 'plain',
    inputs: [node('main', type, undefined, options)],
    transforms: [node('check', 'ts-validate', 'main', {}), node('gops', 'gop', 'check', {})],
    outputs: [
      node('reference', 'http-ts', 'main', { listener: FIXED_LISTENER, path: `${folder}/reference.ts` }),
      node('ts', 'http-ts', 'gops', { listener: 'web', path: `${folder}/ts.ts` }),
      node('alt', 'http-ts', 'check', { listener: 'more', path: `${folder}/alt.ts` }),
      node('third', 'http-ts', 'gops', { listener: 'web', path: `${folder}/third.ts` }),
      ...moreOutputs,
    ],
  }
}

function node(id: string, type: string, from: string | undefined, options: Settings): NodeModel {
  return { id, firstId: id, type, from, was: undefined, options }
}

/** The first configuration, with everything that still runs renamed back to its original id. */
export function backToFirst(first: ConfigModel, now: ConfigModel): ConfigModel {
  const back = structuredClone(first)
  for (const pipeline of back.pipelines) {
    const current = now.pipelines.find(({ name }) => name === pipeline.name)
    if (current === undefined) continue
    for (const part of ['inputs', 'transforms', 'outputs'] as const) {
      pipeline[part] = pipeline[part].map((node) => {
        const is = current[part].find(({ firstId }) => firstId === node.firstId)
        return is === undefined || is.id === node.id ? node : { ...node, was: is.id }
      })
    }
  }
  return back
}
