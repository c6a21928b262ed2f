// Mistakes in how nodes are connected, in what they share, and in the definitions of plugins.
import { pipelineWith } from '../example-config.test.js'
import { type Mistake, one } from './text-mistakes.test.kit.js'

export const GRAPH_MISTAKES: readonly Mistake[] = [
  {
    name: 'an unknown type',
    files: one(pipelineWith({ outputs: 'a: { type: http-tx, from: main }' })),
    found: ['CONFIG_UNKNOWN_TYPE a:8:18'],
    help: /did you mean "http-ts"/,
  },
  {
    name: 'a type of another kind',
    files: one(pipelineWith({ outputs: 'a: { type: gop, from: main }' })),
    found: ['CONFIG_UNKNOWN_TYPE a:8:18'],
    help: /a transform: it belongs under transforms/,
  },
  {
    name: 'an unknown node',
    files: one(pipelineWith({ outputs: 'a: { type: http-ts, from: mian, path: /a }' })),
    found: ['CONFIG_UNKNOWN_NODE a:8:33'],
    help: /did you mean "main"/,
  },
  {
    name: 'an unknown port, several ports, and an output as source',
    files: one(
      pipelineWith({
        transforms:
          's: { type: split, from: main.audio }\nt: { type: split, from: s.720 }\nu: { type: split, from: s }',
        outputs: 'a: { type: http-ts, from: b, path: /a }\nb: { type: http-ts, from: u.360p, path: /b }',
      }),
    ),
    found: [
      'CONFIG_UNKNOWN_PORT a:8:31',
      'CONFIG_UNKNOWN_PORT a:9:31',
      'CONFIG_UNKNOWN_PORT a:10:31',
      'CONFIG_UNKNOWN_PORT a:12:33',
    ],
  },
  {
    name: 'a port that the options of its node do not make',
    files: one(
      pipelineWith({
        transforms: 'e: { type: encode, from: main, heights: [720] }',
        outputs: 'a: { type: http-ts, from: e.360p, path: /a }\nb: { type: http-ts, from: e, path: /b }',
      }),
    ),
    found: ['CONFIG_UNKNOWN_PORT a:10:33'],
    message: /"a" reads from port "360p" of "e", which does not exist/,
    help: /did you mean "e\.720p"/,
  },
  {
    name: 'several ports by options, and a kind of chunks',
    files: one(
      pipelineWith({
        transforms: 'e: { type: encode, from: main }',
        outputs: 'a: { type: http-ts, from: e, path: /a }\nb: { type: hls, from: e.720p }',
      }),
    ),
    found: ['CONFIG_UNKNOWN_PORT a:10:33', 'CONFIG_KIND_MISMATCH a:11:29'],
    help: /its ports: e\.720p, e\.360p/,
  },
  {
    name: 'a wrong option, but not the ports that depend on it',
    files: one(
      pipelineWith({
        transforms: 'e: { type: encode, from: main, heights: many }',
        outputs: 'a: { type: http-ts, from: e.360p, path: /a }\nb: { type: hls, from: e.out }',
      }),
    ),
    found: ['CONFIG_WRONG_TYPE a:8:47'],
  },
  ...[
    ['throws', 'no rungs today'],
    ['many', '1000 ports are more than 64'],
    ['twice', 'port "720p" is declared twice'],
  ].map(([wrong, reason]) => ({
    name: `a definition whose ports are wrong: ${wrong}`,
    files: one(
      pipelineWith({
        transforms: `e: { type: encode, from: main, wrong: ${wrong} }`,
        outputs: 'a: { type: http-ts, from: e.360p, path: /a }',
      }),
    ),
    found: ['PLUGIN_FAULT a:8:7'],
    message: new RegExp(`ports\\(\\) of transform "e" \\(type encode of plugin ".+"\\) fails: ${reason}`),
  })),
  {
    name: 'a list of sources where only one is read',
    files: one(
      pipelineWith({
        transforms: 'f: { type: failover, from: [main] }',
        outputs: 'a: { type: http-ts, from: [f, main], path: /a }',
      }),
    ),
    found: ['CONFIG_FROM_LIST a:10:37'],
  },
  {
    name: 'a source named twice',
    files: one(pipelineWith({ transforms: 'f: { type: failover, from: [main, main] }' })),
    found: ['CONFIG_WRONG_VALUE a:8:41'],
  },
  {
    name: 'a cycle',
    files: one(
      pipelineWith({
        transforms:
          'f: { type: failover, from: [main, h] }\ng: { type: failover, from: f }\nh: { type: failover, from: g }',
      }),
    ),
    found: ['CONFIG_CYCLE a:8:41'],
    message: /f <- h <- g <- f/,
  },
  {
    name: 'chunks of the wrong kind',
    files: one(pipelineWith({ outputs: 'a: { type: hls, from: main }' })),
    found: ['CONFIG_KIND_MISMATCH a:8:29'],
    help: /put a `gop` transform between/,
  },
  {
    name: 'two outputs on one path',
    files: one(
      pipelineWith({
        outputs: 'a: { type: http-ts, from: main, path: /a }\nb: { type: http-ts, from: main, path: /a }',
      }),
    ),
    found: ['CONFIG_EXCLUSIVE a:9:7'],
    message: /"one\/b" needs path \/a of listener "web", which "one\/a"/,
  },
  {
    name: 'an output that only one published stream can have',
    files: one(
      pipelineWith({ outputs: 'a: { type: http-ts, from: main, path: /a }' }).replace(
        'main: { type: file, path: a.ts }',
        'main: { type: pub, streams: "*" }',
      ),
    ),
    found: ['CONFIG_STREAM a:8:7'],
    message: /which only one stream could have/,
  },
  {
    name: 'two listeners on one port',
    files: one(pipelineWith({}).replace('web:', 'all: { address: "0.0.0.0:8000" }, web:')),
    found: ['CONFIG_EXCLUSIVE a:2:48'],
  },
  {
    name: 'a definition that throws',
    files: one(pipelineWith({ outputs: 'a: { type: faulty, from: main }' })),
    found: ['PLUGIN_FAULT a:8:7'],
  },
  {
    name: 'options that the user may not expect',
    files: one(pipelineWith({ outputs: 'a: { type: texts, from: main, odd: yes }' })),
    found: ['CONFIG_UNEXPECTED a:8:7'],
    message: /output "a": that is odd/,
    good: true,
  },
  {
    name: 'a definition whose warnings throw',
    files: one(pipelineWith({ outputs: 'a: { type: texts, from: main, odd: broken }' })),
    found: ['PLUGIN_FAULT a:8:7'],
  },
  {
    name: 'a definition whose resources are text',
    files: one(pipelineWith({ outputs: 'a: { type: texts, from: main }' })),
    found: ['PLUGIN_FAULT a:8:7'],
    message: /exclusive\(\) of output "a" fails: "stdin" is not a resource/,
  },
]
