// The files of a new project: a first channel with comments, and what runs it as a service.
import { join } from 'node:path'
import { systemdUnit } from './systemd-unit.js'

export interface ProjectFile {
  readonly name: string
  readonly text: string
  /** One line for people. */
  readonly about: string
}

export interface ProjectSettings {
  /** Absolute. */
  readonly folder: string
  readonly name: string
  readonly version: string
  /** What a user types to run it. */
  readonly say: string
  /** Absolute path of the command that runs. */
  readonly command: string
  /** Of the Node that runs it. */
  readonly nodeFolder: string
  readonly schema: string
}

export function projectFiles(settings: ProjectSettings): readonly ProjectFile[] {
  const { name, version, schema } = settings
  const manifest = { name, private: true, type: 'module', dependencies: { millrace: `^${version}` } }
  return [
    {
      name: 'live.yaml',
      text: liveYaml(settings.say),
      about: 'the channel: what comes in, what is done with it, who gets it',
    },
    {
      name: 'package.json',
      text: `${JSON.stringify(manifest, undefined, 2)}\n`,
      about: 'the version of Millrace, and plugins that you install beside it',
    },
    { name: 'millrace.schema.json', text: schema, about: 'completion and errors in your editor' },
    { name: 'millrace.service', text: unitOf(settings), about: 'runs it with systemd; its first lines say how' },
  ]
}

function liveYaml(say: string): string {
  return `# yaml-language-server: $schema=./millrace.schema.json
# A channel that takes a stream from OBS or ffmpeg over RTMP, and serves it as HLS and as MPEG-TS over HTTP.
#   ${say} check live.yaml               reports every mistake
#   ${say} run live.yaml                 runs it; each save is applied while viewers watch
#   ${say} reload --plan draft.yaml      what a draft would cost the viewers of now
version: 1

listeners:
  # Only programs of this machine reach 127.0.0.1. For others: "0.0.0.0:1935", and an \`auth\` below.
  rtmp: { protocol: rtmp, address: '127.0.0.1:1935' }
  web: { address: '127.0.0.1:8000' }

# auth:
#   publishers: { type: token, tokens: ['\${secret:publish}'] }
# secrets:
#   publish: { env: PUBLISH_TOKEN }

services:
  # For Prometheus: http://127.0.0.1:9990/metrics
  metrics: { type: prometheus, listener: api, path: /metrics }

pipelines:
  live:
    inputs:
      # OBS: server rtmp://127.0.0.1:1935/live, stream key "main". To try it with ffmpeg:
      #   ffmpeg -re -f lavfi -i testsrc2=s=640x360:r=25 -f lavfi -i sine=frequency=440 -pix_fmt yuv420p -g 50 \\
      #     -c:v libx264 -preset veryfast -c:a aac -f flv rtmp://127.0.0.1:1935/live/main
      main: { type: rtmp, listener: rtmp, app: live, streams: main }
      # Other sources: type srt, udp, tcp, http, file, exec, ffmpeg. \`${say} inspect TYPE\` says what each takes.
    transforms:
      # Counts the errors of TR 101 290, and cuts at key frames, so that viewers start with a picture.
      check: { type: ts-validate, from: main }
      gops: { type: gop, from: check }
    outputs:
      # The page: http://127.0.0.1:8000/live/
      hls: { type: hls, from: gops, listener: web, path: /live/index.m3u8, page: true }
      # vlc or ffplay http://127.0.0.1:8000/live.ts
      ts: { type: http-ts, from: gops, listener: web, path: /live.ts }
`
}

/** What npx runs is in a cache that npm cleans: the service runs what `npm install` puts into the folder. */
function unitOf({ folder, command, nodeFolder }: ProjectSettings): string {
  if (!command.includes('/_npx/')) return systemdUnit({ folder, command, nodeFolder, first: 'As root:' })
  const installed = join(folder, 'node_modules/.bin/millrace')
  return systemdUnit({ folder, command: installed, nodeFolder, first: 'As root, after `npm install` in that folder:' })
}
