// @millrace/rtmp against ffmpeg, nginx-rtmp, node-media-server and GStreamer: publishing and playing, on both sides.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { MediaMessage, MESSAGE } from '@millrace/rtmp'
import type { MediaClass, MediaType } from '@millrace/rtmp'
import { RtmpClient, RtmpServer } from '@millrace/rtmp/node'
import type { PlayerSession, RtmpServerOptions } from '@millrace/rtmp/node'
import { Child } from './kit/child.js'
import { readFlv } from './kit/flv-file.js'
import type { FlvTag } from './kit/flv-file.js'
import { MediaServer } from './kit/media-server.js'
import { NginxRtmp } from './kit/nginx-rtmp.js'
import { REPOSITORY_ROOT } from './kit/repository-root.js'
import { SelfSigned } from './kit/self-signed.js'
import { TempFolder } from './kit/temp-folder.js'
import { until } from './kit/until.js'

let folder: TempFolder
let clip: string
/** Of the clip, without script data. */
let tags: readonly FlvTag[]

before(async () => {
  folder = await TempFolder.make()
  clip = join(folder.path, 'clip.flv')
  const inputs = '-f lavfi -i testsrc=s=320x180:r=25 -f lavfi -i sine=r=48000 -t 2'
  const codecs = '-c:v libx264 -preset ultrafast -g 25 -b:v 500k -c:a aac -b:a 96k'
  const args = `-loglevel error ${inputs} ${codecs} -flvflags no_duration_filesize`
  execFileSync('ffmpeg', [...args.split(' '), clip], { stdio: 'pipe' })
  tags = mediaOf(readFlv(readFileSync(clip)))
})
after(() => folder[Symbol.asyncDispose]())

function mediaOf(all: readonly FlvTag[]): FlvTag[] {
  return all.filter(({ type }) => type !== MESSAGE.data)
}

const flatten = (media: readonly FlvTag[]): string[] =>
  media.map(({ type, timestampMs, body }) => `${type} ${timestampMs} ${hashOf(body)}`)

/** Of all bodies, in any order. */
const bodiesOf = (media: readonly FlvTag[]): string[] => media.map(({ type, body }) => `${type} ${hashOf(body)}`).sort()

function hashOf(body: Buffer): string {
  return `${body.length} ${createHash('sha1').update(body).digest('hex')}`
}

function messageOf({ type, timestampMs, body }: FlvTag): MediaMessage {
  return new MediaMessage(type as MediaType, classOf(type, body), timestampMs, body)
}

function classOf(type: number, body: Buffer): MediaClass {
  if (type === MESSAGE.data || body[1] === 0) return 'headers'
  if (type === MESSAGE.audio) return 'audio'
  return body[0]! >> 4 === 1 ? 'key' : 'inter'
}

/** Keeps what is published, and plays it to whoever wants it, from the start. */
async function serve(options: Partial<RtmpServerOptions> = {}) {
  const media: FlvTag[] = []
  const players = new Set<PlayerSession>()
  const paths: string[] = []
  let isOver = false
  const server = await RtmpServer.open({
    address: '127.0.0.1',
    port: 0,
    onPublish: (arrival) => {
      paths.push(`${arrival.path} ${arrival.query}`)
      arrival.accept({
        media: (type, timestampMs, body) => {
          const tag = { type, timestampMs, body: Buffer.from(body) }
          media.push(tag)
          for (const player of players) player.send(messageOf(tag))
        },
        ended: () => {
          isOver = true
          for (const player of players) player.end('over')
        },
      })
    },
    onPlay: (arrival) => {
      const player = arrival.accept({ ended: () => players.delete(player!) })
      for (const tag of media) player?.send(messageOf(tag))
      if (isOver) player?.end('over')
      else players.add(player!)
    },
    ...options,
  })
  return {
    server,
    media,
    paths,
    players,
    isOver: () => isOver,
    url: (key: string) => `rtmp://127.0.0.1:${server.port}/live/${key}`,
  }
}

function ffmpeg(...args: string[]): Child {
  return new Child('ffmpeg', ['-nostdin', '-loglevel', 'error', '-y', ...args], { cwd: folder.path })
}

async function succeeded(child: Child): Promise<void> {
  const { code } = await child.exited
  assert.equal(code, 0, child.stderr)
}

describe('ffmpeg and @millrace/rtmp', () => {
  test('it publishes to our server: every body and every time', async () => {
    const { server, media, paths, isOver, url } = await serve()
    await using _ = server
    await using publisher = ffmpeg('-i', clip, '-c', 'copy', '-f', 'flv', url('cam?token=a'))
    await succeeded(publisher)
    await until(isOver, 'the server knows that it has ended')
    assert.deepEqual(paths, ['live/cam token=a'])
    assert.deepEqual(flatten(mediaOf(media)).slice(0, tags.length), flatten(tags))
  })

  test('its times cross 24 bits', async () => {
    const { server, media, isOver, url } = await serve()
    await using _ = server
    await using publisher = ffmpeg('-i', clip, '-c', 'copy', '-output_ts_offset', '16776.5', '-f', 'flv', url('cam'))
    await succeeded(publisher)
    await until(isOver, 'the server knows that it has ended')
    const times = mediaOf(media)
      .map(({ timestampMs }) => timestampMs)
      .slice(0, tags.length)
    assert.ok(times[0]! < 0xff_ffff && times.at(-1)! > 0xff_ffff)
    // The configuration comes at time 0 or with the offset.
    const shifts = new Set(times.map((time, at) => time - tags[at]!.timestampMs))
    assert.ok(
      [...shifts].every((shift) => shift === 16_776_500 || shift === 0),
      [...shifts].join(),
    )
  })

  test('it plays from our server what ffmpeg has published', async () => {
    const { server, media, isOver, url } = await serve()
    await using _ = server
    await using publisher = ffmpeg('-i', clip, '-c', 'copy', '-f', 'flv', url('cam'))
    await succeeded(publisher)
    await until(isOver, 'the server knows that it has ended')
    const file = join(folder.path, 'played.flv')
    await using player = ffmpeg('-i', url('cam'), '-c', 'copy', file)
    await succeeded(player)
    const played = mediaOf(readFlv(readFileSync(file))).filter(({ body }) => body.length > 5)
    const sent = mediaOf(media).filter(({ body }) => body.length > 5)
    assert.deepEqual(bodiesOf(played), bodiesOf(sent))
  })

  test('it publishes over TLS', async () => {
    await using certificate = await SelfSigned.make('localhost')
    const { server, media } = await serve({ tls: certificate.tls })
    await using _ = server
    await using publisher = ffmpeg('-i', clip, '-c', 'copy', '-f', 'flv', `rtmps://127.0.0.1:${server.port}/live/cam`)
    await succeeded(publisher)
    await until(() => mediaOf(media).length >= tags.length, 'everything has come')
    await assert.rejects(RtmpClient.publish(`rtmps://127.0.0.1:${server.port}/live/cam`), { code: 'RTMP_UNREACHABLE' })
    await using client = await RtmpClient.publish(`rtmps://localhost:${server.port}/live/cam`, {
      tls: { ca: certificate.tls.cert },
    })
    assert.equal(client.isClosed, false)
  })

  test('a refusal is told, and ends it at once', async () => {
    const { server, url } = await serve({ onPublish: (arrival) => arrival.reject('taken', 'somebody publishes cam') })
    await using _ = server
    await using publisher = ffmpeg('-re', '-i', clip, '-c', 'copy', '-f', 'flv', url('cam'))
    assert.notEqual((await publisher.exited).code, 0)
    assert.match(publisher.stderr, /somebody publishes cam/)
  })
})

describe('nginx-rtmp and @millrace/rtmp', () => {
  test('we publish to it, and play from it: every body and every time', async () => {
    await using nginx = await NginxRtmp.open('application live { live on; sync 0; wait_key off; }')
    const url = `rtmp://127.0.0.1:${nginx.port}/live/cam`
    const played: FlvTag[] = []
    await using player = await RtmpClient.play(url, {
      onMedia: (type, timestampMs, body) => void played.push({ type, timestampMs, body: Buffer.from(body) }),
    })
    await using publisher = await RtmpClient.publish(url)
    for (const tag of tags) publisher.send(messageOf(tag))
    await until(
      () => mediaOf(played).length >= tags.length,
      () => `${played.length} of ${tags.length}: ${nginx.log}`,
    )
    // It sends the configurations in an order of its own.
    assert.deepEqual(bodiesOf(mediaOf(played)), bodiesOf(tags))
    assert.equal(player.isClosed, false)
  })

  test('it pushes to us what we publish to it', async () => {
    const { server, media, paths } = await serve()
    await using _ = server
    await using nginx = await NginxRtmp.open(
      `application live { live on; push rtmp://127.0.0.1:${server.port}/far/cam; push_reconnect 100ms; }`,
    )
    await using publisher = await RtmpClient.publish(`rtmp://127.0.0.1:${nginx.port}/live/cam`)
    await until(
      () => paths[0] === 'far/cam ',
      () => `it has connected: ${nginx.log}`,
    )
    for (const tag of tags) publisher.send(messageOf(tag))
    await until(
      () => mediaOf(media).length >= tags.length,
      () => `${media.length} of ${tags.length}`,
    )
  })

  test('it pulls from us what we play', async () => {
    const { server, players } = await serve()
    await using _ = server
    await using nginx = await NginxRtmp.open(
      `application live { live on; sync 0; wait_key off; pull rtmp://127.0.0.1:${server.port}/live/cam name=cam; }`,
    )
    let count = 0
    await using player = await RtmpClient.play(`rtmp://127.0.0.1:${nginx.port}/live/cam`, {
      onMedia: (type) => void (type !== MESSAGE.data && count++),
    })
    await until(
      () => players.size === 1,
      () => `it has connected: ${nginx.log}`,
    )
    await until(
      () => {
        const [session] = players
        for (const tag of count === 0 ? tags : []) session?.send(messageOf(tag))
        return count >= tags.length
      },
      () => `${count} of ${tags.length}: ${nginx.log}`,
    )
    assert.equal(player.isClosed, false)
  })
})

describe('node-media-server and @millrace/rtmp', () => {
  test('we publish to it, and play from it', async () => {
    await using peer = await MediaServer.open()
    const url = `rtmp://127.0.0.1:${peer.port}/live/cam`
    const played: FlvTag[] = []
    await using player = await RtmpClient.play(url, {
      onMedia: (type, timestampMs, body) => void played.push({ type, timestampMs, body: Buffer.from(body) }),
    })
    await using publisher = await RtmpClient.publish(url)
    for (const tag of tags) publisher.send(messageOf(tag))
    await until(
      () => mediaOf(played).length >= tags.length,
      () => `${played.length} of ${tags.length}: ${peer.log}`,
    )
    assert.deepEqual(bodiesOf(mediaOf(played)), bodiesOf(tags))
    assert.equal(player.isClosed, false)
  })

  test('it pushes to us what we publish to it', async () => {
    const { server, media, paths, url } = await serve()
    await using _ = server
    await using peer = await MediaServer.open({ mode: 'push', url: url('far'), streamPath: '/live/cam' })
    await using publisher = await RtmpClient.publish(`rtmp://127.0.0.1:${peer.port}/live/cam`)
    // It begins to push when there is a publisher; what came before is lost.
    await until(
      () => {
        for (const tag of mediaOf(media).length < 10 ? tags : []) publisher.send(messageOf(tag))
        return mediaOf(media).length >= tags.length
      },
      () => `${media.length} of ${tags.length}: ${peer.log}`,
    )
    assert.equal(paths[0], 'live/far ')
  })

  test('it pulls from us what we play', async () => {
    const { server, media, url } = await serve()
    await using _ = server
    media.push(...tags)
    await using peer = await MediaServer.open({ mode: 'pull', url: url('cam'), streamPath: '/live/copy' })
    const played: FlvTag[] = []
    await using player = await RtmpClient.play(`rtmp://127.0.0.1:${peer.port}/live/copy`, {
      onMedia: (type, timestampMs, body) => void played.push({ type, timestampMs, body: Buffer.from(body) }),
    })
    await until(
      () => mediaOf(played).length > 0,
      () => `${played.length} of ${tags.length}: ${peer.log}`,
    )
    assert.equal(player.isClosed, false)
  })
})

test('GStreamer publishes to our server, and plays from it', async () => {
  const { server, media, isOver, url } = await serve()
  await using _ = server
  const gst = (pipeline: string): Child =>
    new Child('gst-launch-1.0', ['-q', ...pipeline.split(' ')], { cwd: folder.path })
  const demux =
    'filesrc location=clip.flv ! flvdemux name=in in.video ! queue ! h264parse ! flvmux name=out streamable=true'
  const sink = `rtmp2sink sync=false location=${url('cam')}`
  await using publisher = gst(`${demux} in.audio ! queue ! aacparse ! out. out. ! ${sink}`)
  await succeeded(publisher)
  await until(isOver, 'the server knows that it has ended')
  const published = mediaOf(media).filter(({ body }) => body[1] !== 0)
  assert.ok(published.length >= tags.length - 4, `${published.length} of ${tags.length}`)
  // When a stream ends, it drops what it has not written so far: this one ends when all of it is in the file, but for the
  // last message, which it writes with the next one.
  const again = await serve()
  await using _again = again.server
  again.media.push(...media)
  await using player = gst(`rtmp2src location=${again.url('cam')} ! filesink location=gst.flv buffer-mode=unbuffered`)
  const played = (): string[] => flatten(mediaOf(readFlv(readFileSync(join(folder.path, 'gst.flv')))))
  const sent = flatten(mediaOf(media))
  await until(
    () => isDeepStrictEqual(played().slice(0, sent.length - 1), sent.slice(0, -1)),
    () => `it has written ${played().length} of ${sent.length}: ${player.stderr}`,
  )
  for (const session of again.players) session.end('over')
  await succeeded(player)
  assert.deepEqual(played(), sent.slice(0, played().length))
})

test('the example of the README runs', async () => {
  const readme = readFileSync(join(REPOSITORY_ROOT, 'protocols/rtmp/README.md'), 'utf8')
  const code = /```js\n([^`]+(?:`[^`]*`[^`]*)*?)```/.exec(readme)![1]!
  await using child = new Child(process.execPath, ['--input-type=module', '-e', code], { cwd: REPOSITORY_ROOT })
  await child.exited
  assert.deepEqual(
    child.stdout.trim().split('\n'),
    ['RTMP_REJECTED the token is wrong', 'received [ 40, 3 ]', 'publisher ended'],
    child.stderr,
  )
})
