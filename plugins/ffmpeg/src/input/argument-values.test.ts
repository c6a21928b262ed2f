import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { faultOfArguments } from './argument-rules.js'

for (const args of [
  ['-vf', 'scale=-2:720'],
  ['-filter:v:0', 'fps=25, scale=iw/2:ih/2,format=yuv420p'],
  ['-vf', '[in]crop=640:360[a];[a]hflip[out]'],
  ['-vf', "scale='iw/2':-2"],
  ['-af', 'loudnorm=I=-23:TP=-1.5,aresample=48000,volume=0.5'],
  ['-af', 'pan=stereo|c0=FL|c1=FR'],
  ['-x264-params', 'ref=3:bframes=0:keyint=50'],
  ['-x265-params:v', 'scenecut=0:log-level=warning'],
  ['-metadata', 'title=movie, file'],
]) {
  test(`allows ${JSON.stringify(args)}`, () => assert.equal(faultOfArguments(args), undefined))
}

describe('a value through which files are read or written is refused:', () => {
  for (const args of [
    ['-af', 'ametadata=mode=print:file=/tmp/x'],
    ['-vf', 'metadata=print:file=x'],
    ['-vf', 'movie=/etc/passwd[a];[a]null'],
    ['-vf', 'null[a];movie=x'],
    ['-vf', 'null,drawtext=textfile=/etc/passwd'],
    ['-vf', 'scale=1:1, subtitles=x'],
    ['-vf', "null,'movie'=x"],
    ['-vf', 'm\\ovie=x'],
    ['-vf', "[']null[']movie=x"],
    ['-vf', 'null[a]movie=x'],
    ['-filter:v', 'lut3d=x'],
    ['-filter:a:0', 'amovie=x'],
    ['-vf', 'scale=/w=/etc/passwd'],
    ['-vf', "scale=w=2:'/'h=/etc/passwd"],
    ['-af', 'loudnorm=I=-23:stats_file=x'],
    ['-af', "loudnorm=I=-23:stats_'file'=x"],
    ['-vf', 'sws_flags=bicubic;movie=x'],
    ['-vf', ''],
    ['-x264-params', 'stats=/tmp/x'],
    ['-x264-params:v', 'ref=3:qpfile=x'],
    ['-x264opts', 'ref=3:dump_yuv=x'],
    ['-x264-params', 'cqmfile=x'],
    ['-x264-params', "ref=3:st'a'ts=x"],
    ['-x264-params', 'ref=3:st\\ats=x'],
    ['-x264-params', 'LOG-FILE=x'],
    ['-x265-params', 'csv=x'],
    ['-x265-params', 'recon=x'],
    ['-x265-params', 'analysis-save=x'],
    ['-x265-params', 'analysis-reuse-file=x'],
    ['-x265-params', 'scaling-list=x'],
    ['-x265-params', 'lambda-file=x:zonefile=x'],
    ['-x265-params', 'dhdr10-info=x'],
    ['-x265-params', 'nalu-file=x'],
    ['-graph_file', 'x'],
    ['-deinterlace', 'out.ts'],
    ['-intra', 'out.ts'],
  ]) {
    test(JSON.stringify(args), () => assert.notEqual(faultOfArguments(args), undefined))
  }
})

test('however a filter graph is written, no filter that is not listed begins in it', () => {
  const piece = fc.constantFrom(
    ...[
      'null',
      'scale=2:2',
      'movie',
      'movie=x',
      'mov',
      'ie=x',
      '[a]',
      '[',
      ']',
      ',',
      ';',
      "'",
      '\\',
      ' ',
      '=',
      ':',
      '@a',
    ],
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 9 }), (pieces) => {
      const graph = pieces.join('')
      if (faultOfArguments(['-vf', graph]) !== undefined) return
      assert.ok(
        namesOf(graph).every((name) => ['null', 'scale'].includes(name)),
        graph,
      )
    }),
    { numRuns: 5000 },
  )
})

/** As FFmpeg reads a graph: labels, a name up to one of `=,;[`, options up to one of `[],;`; quotes and escapes count. */
function namesOf(graph: string): readonly string[] {
  const names: string[] = []
  let at = 0
  const token = (ends: string): string => {
    let text = ''
    for (; at < graph.length && !ends.includes(graph[at]!); at++) {
      if (graph[at] === '\\') text += graph[++at] ?? ''
      else if (graph[at] === "'") while (++at < graph.length && graph[at] !== "'") text += graph[at]
      else text += graph[at]
    }
    return text.trim()
  }
  const labels = (): void => {
    while (/^\s*\[/.test(graph.slice(at))) {
      at = graph.indexOf('[', at) + 1
      token(']')
      at++
    }
  }
  while (at < graph.length) {
    labels()
    names.push(token('=,;[').replace(/@.*/, ''))
    if (graph[at] === '=') {
      at++
      token('[],;')
    }
    labels()
    while (/[\s,;]/.test(graph[at] ?? '')) at++
    // FFmpeg takes nothing else behind a filter.
    if (at < graph.length && !/[,;]\s*$/.test(graph.slice(0, at))) break
  }
  return names
}
