// What tests of access to the output `hls` share: an engine with providers, and requests that follow no redirect.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { buildTs } from '@millrace/engine/testing'
import { until } from '../e2e/kit/until.js'
import { TestEngine } from './test-engine.js'

/** GOPs of half a second. */
export const CLIP_S = 12
export const clip = buildTs({ durationS: CLIP_S, video: { gopFrames: 12, fps: 24, bitrate: 300_000 } })
export const KEY = 'a key of at least 16 characters'
export const TOKEN = 'token=let-me-in'

export interface Parts {
  readonly outputs: Readonly<Record<string, string>>
  readonly input?: string
}

export function output(path: string, more = ''): string {
  return `{ type: hls, from: gops, listener: web, path: /${path}/index.m3u8, segment: 500ms, window: 6s${more} }`
}

export function yaml({ outputs, input = '{ type: file, path: main.ts, loop: true }' }: Parts): string {
  return `
version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state, drain: 2s }
listeners: { web: { address: "127.0.0.1:0" } }
auth:
  players: { type: token, tokens: { anna: let-me-in } }
  links: { type: signed, keys: { k: ${KEY} } }
  people: { type: basic, users: { anna: secret } }
  office: { type: ip, allow: [127.0.0.1] }
pipelines:
  one:
    inputs: { main: ${input} }
    transforms: { gops: { type: gop, from: main } }
    outputs:
${Object.entries(outputs)
  .map(([name, text]) => `      ${name}: ${text}\n`)
  .join('')}`
}

export async function running(parts: Parts): Promise<TestEngine> {
  const live = await TestEngine.create()
  await live.folder.write('main.ts', clip.bytes)
  await live.start(yaml(parts))
  return live
}

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
}

export interface Asked {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  /** An address of this machine. */
  readonly from?: string
}

/** Follows no redirect. */
export async function ask(
  live: TestEngine,
  path: string,
  { method = 'GET', headers = {}, from }: Asked = {},
): Promise<Answer> {
  const sent = request(`http://${live.address('web')}${path}`, {
    ...{ method, agent: false, headers: { 'user-agent': 'player', ...headers } },
    ...(from === undefined ? {} : { localAddress: from }),
  }).end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  const parts: Buffer[] = []
  for await (const part of response) parts.push(part as Buffer)
  return { status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(parts).toString('latin1') }
}

export function urisOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
}

/** Of the newest segment that is no gap; undefined if there is none. */
export function newestOf(text: string): string | undefined {
  return [...text.matchAll(/(#EXT-X-GAP\n)?#EXTINF:[^\n]+\n([^#\n]+)\n/g)].findLast(([, gap]) => gap === undefined)?.[2]
}

/** Where the path leads to. */
export async function grantOf(live: TestEngine, path: string, asked?: Asked): Promise<string> {
  const { status, headers } = await ask(live, path, asked)
  assert.equal(status, 302)
  return new URL(String(headers['location']), `http://x${path}`).pathname
}

/** The paths of a media playlist and of its newest segment, from the path of a multivariant playlist. */
export async function below(
  live: TestEngine,
  path: string,
  asked?: Asked,
): Promise<{ list: string; segment: string; text: string }> {
  const first = await until(async () => {
    const { status, text } = await ask(live, path, asked)
    return status === 200 && text
  }, `${path} is served`)
  const at = (uri: string, from: string): string => new URL(uri, `http://x${from}`).pathname
  const list = at(urisOf(first)[0] ?? '', path)
  const { text } = await ask(live, list, asked)
  return { list, segment: at(newestOf(text) ?? '', list), text }
}
