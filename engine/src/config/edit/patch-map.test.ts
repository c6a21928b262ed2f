import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { parse } from 'yaml'
import { isEngineError } from '../../errors.js'
import { editNode } from './edit-node.js'

interface Row {
  readonly name: string
  /** The node, as it follows its name. */
  readonly before: string
  readonly patch: Readonly<Record<string, unknown>>
  readonly after: string
}

const ROWS: readonly Row[] = [
  {
    name: 'a value between braces, and what is around it stays',
    before: '{ type: file, path: "a.ts",   # where it is\n      loop: true }   # tail',
    patch: { path: 'b.ts' },
    after: '{ type: file, path: b.ts,   # where it is\n      loop: true }   # tail',
  },
  {
    name: 'a value in a block, with its comment',
    before: '\n      type: file\n      path: a.ts   # where it is\n      # end',
    patch: { path: 'with space: and # hash' },
    after: '\n      type: file\n      path: "with space: and # hash"   # where it is\n      # end',
  },
  {
    name: 'an equal value is left as it is written',
    before: `{ type: 'file', n: 0x10, list: [ 1,2 ] }`,
    patch: { type: 'file', n: 16, list: [1, 2] },
    after: `{ type: 'file', n: 0x10, list: [ 1,2 ] }`,
  },
  {
    name: 'new options between braces, also after a comma at the end',
    before: '{ type: file, path: a.ts, }',
    patch: { loop: true, url: 'a,b', inner: { deep: [1, null] } },
    after: '{ type: file, path: a.ts, loop: true, url: "a,b", inner: { deep: [ 1, null ] }, }',
  },
  {
    name: 'new options in a block, after the comment of the last one',
    before: '\n      type: file\n      path: a.ts # here\n\n    other: { type: file }',
    patch: { loop: true, 'odd key:': 'two\nlines' },
    after:
      '\n      type: file\n      path: a.ts # here\n      loop: true\n      "odd key:": "two\\nlines"\n\n    other: { type: file }',
  },
  {
    name: 'options in options, removed, changed and added',
    before: '{ type: http-ts, clients: { max: 5, soft: 4 }, gone: 1 }',
    patch: { clients: { max: 6, soft: null, perAddress: 2 }, gone: null },
    after: '{ type: http-ts, clients: { max: 6, perAddress: 2 } }',
  },
  {
    name: 'a removed first option',
    before: '{ gone: [1, 2], type: file, gone2: 1, gone3: 2 }',
    patch: { gone: null, gone2: null, gone3: null, new: 1 },
    after: '{ type: file, new: 1 }',
  },
  {
    name: 'a removed option of a block, with its comment, but not the comments above',
    before: '\n      type: file\n      # about the path\n      path: a.ts # here\n      loop: true',
    patch: { path: null },
    after: '\n      type: file\n      # about the path\n      loop: true',
  },
  {
    name: 'the last option of a map',
    before: '\n      type: file\n      clients:\n        max: 5\n      loop: true',
    patch: { clients: { max: null } },
    after: '\n      type: file\n      clients:\n        {}\n      loop: true',
  },
  {
    name: 'a block list stays one',
    before: '\n      type: file\n      urls:\n        - a # one\n        - b\n      loop: true',
    patch: { urls: ['c, d', 'e'] },
    after: '\n      type: file\n      urls:\n        - "c, d"\n        - e\n      loop: true',
  },
  {
    name: 'a block in place of a value, and a value in place of a block',
    before:
      '\n      type: file\n      clients:\n        max: 5\n      text: |\n        two\n        lines\n      empty:\n      loop: true',
    patch: { clients: 7, text: 'one', empty: { a: 1 } },
    after: '\n      type: file\n      clients: 7\n      text: one\n      empty: { a: 1 }\n      loop: true',
  },
  {
    name: 'what a text of another type looks like is quoted',
    before: '{ type: file, a: 1 }',
    patch: { a: '1', b: 'true', c: '', d: '~', e: '*x', f: '- y' },
    after: '{ type: file, a: "1", b: "true", c: "", d: "~", e: "*x", f: "- y" }',
  },
  {
    name: 'an anchor stays at its value',
    before: '{ type: file, path: &where a.ts, other: *where }',
    patch: { path: 'b.ts' },
    after: '{ type: file, path: &where b.ts, other: *where }',
  },
  {
    name: 'a value where there is only a comment, and the space in front of a value stays',
    before: '\n      type:   file\n      clients: # how many\n      path:   a.ts\n      empty: # nothing',
    patch: { clients: { max: 5 }, path: 'b.ts', new: 1 },
    after:
      '\n      type:   file\n      clients: { max: 5 } # how many\n      path:   b.ts\n      empty: # nothing\n      new: 1',
  },
  {
    name: 'an option between comments that stay, each on its line',
    before: '{\n      type: file, # what\n      path: a.ts, # p, q\n      loop: true # on\n    }',
    patch: { path: null, new: 1 },
    after: '{\n      type: file, # what\n       # p, q\n      loop: true, new: 1 # on\n    }',
  },
  {
    name: 'what stands beside << can be changed',
    before: '\n      <<: *base\n      path: a.ts',
    patch: { path: 'b.ts' },
    after: '\n      <<: *base\n      path: b.ts',
  },
]

function fileWith(node: string): string {
  return `# top\nbase: &base { type: file, loop: true }\npipelines:\n one:\n  inputs:\n    main: ${node}\n# end\n`
}

function sourceOf(text: string): { name: string; path: string; text: string } {
  return { name: 'live.yaml', path: '/live.yaml', text }
}

describe('an edit', () => {
  for (const { name, before, patch, after } of ROWS) {
    for (const [newline, what] of [
      ['\n', ''],
      ['\r\n', ', in a file with CRLF'],
    ] as const) {
      test(`changes ${name}${what}`, async () => {
        const text = fileWith(before).replaceAll('\n', newline)
        const { after: found } = await editNode([sourceOf(text)], { node: 'one/main', patch })
        assert.equal(found, fileWith(after).replaceAll('\n', newline))
      })
    }
  }
})

describe('an edit is refused with its place', () => {
  const rows: readonly { name: string; text: string; patch?: object; says: RegExp }[] = [
    {
      name: 'a variable',
      text: fileWith('{ type: file, path: "${X}" }'),
      says: /^live.yaml:6:31: "path" of one\/main has a/,
    },
    {
      name: '<<',
      text: fileWith('{ <<: *base, path: a }'),
      patch: { loop: false },
      says: /^live.yaml:2:27: .*comes through <</,
    },
    { name: 'an alias', text: fileWith('{ type: file, path: *base }'), says: /^live.yaml:2:13: .*alias \*base/ },
    { name: 'a node that is an alias', text: fileWith('*base'), says: /^live.yaml:6:5: one\/main is the alias/ },
    {
      name: 'an option of a template',
      text: 'templates:\n  t:\n    inputs:\n      main: { type: file, path: a }\npipelines:\n  one: { template: t, inputs: { main: { loop: true } } }\n',
      says: /template "t", live.yaml:4:27/,
    },
    {
      name: 'a node of a template',
      text: 'templates:\n  t:\n    inputs:\n      main: { type: file, path: a }\npipelines:\n  one: { template: t }\n',
      says: /template "t", live.yaml:4:7: one\/main/,
    },
    {
      name: 'a pipeline from <<',
      text: 'base: &b { inputs: { main: { type: file, path: a } } }\npipelines:\n  one: { <<: *b }\n',
      says: /^live.yaml:3:3: one\/main comes through </,
    },
  ]
  for (const { name, text, patch = { path: 'b' }, says } of rows) {
    test(name, async () => {
      const patched = editNode([sourceOf(text)], { node: 'one/main', patch: patch as Record<string, unknown> })
      await assert.rejects(patched, (error) => {
        assert.ok(isEngineError(error) && error.code === 'EDIT_ELSEWHERE')
        assert.match(error.message, says)
        return true
      })
    })
  }
})

test('a file in which an edit would mean something else is left alone', async () => {
  const text = fileWith('{ type: file, path: !!str 7 }')
  const edit = editNode([sourceOf(text)], { node: 'one/main', patch: { path: 8 } })
  await assert.rejects(edit, (error) => isEngineError(error) && error.code === 'EDIT_LAYOUT')
})

test('whatever is written and patched, the file says exactly what was asked for, or is left alone', async () => {
  const key = fc.constantFrom('a', 'b', 'c', 'long key', '#d', 'e:')
  const leaf = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 8 }), fc.integer(), fc.boolean(), fc.constant(null))
  const value = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      leaf,
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(key, tie('value'), { maxKeys: 3, noNullPrototype: true }),
    ),
  })).value
  const map = fc.dictionary(key, value, { maxKeys: 4, noNullPrototype: true })
  let edited = 0
  await fc.assert(
    fc.asyncProperty(map, map, fc.boolean(), fc.boolean(), async (node, patch, isFlow, isSpread) => {
      const text = fileWith(layOut(node, isFlow, isSpread))
      try {
        const { after } = await editNode([sourceOf(text)], { node: 'one/main', patch })
        edited += 1
        const found = parse(after, { merge: true }) as { pipelines: { one: { inputs: { main: unknown } } } }
        assert.deepEqual(found.pipelines.one.inputs.main, merged(node, patch))
        assert.ok(after.startsWith('# top\nbase: &base { type: file, loop: true }\n') && after.endsWith('# end\n'))
      } catch (error) {
        // No layout of this test is refused, except for the marks of variables.
        if (!isEngineError(error) || !JSON.stringify([node, patch]).includes('${')) throw error
      }
    }),
    { numRuns: 500 },
  )
  assert.ok(edited > 300)
})

/** As people write it: with comments in it. */
function layOut(value: unknown, isFlow: boolean, isSpread: boolean): string {
  const entries = Object.entries(value as Record<string, unknown>)
  if (entries.length === 0) return '{}'
  const comment = isSpread ? ' # it, is' : ''
  const written = entries.map(([name, inner]) => `${JSON.stringify(name)}: ${JSON.stringify(inner)}`)
  if (isFlow && !isSpread) return `{ ${written.join(', ')} }`
  if (isFlow) return `{${comment}\n${written.map((one) => `      ${one},${comment}`).join('\n')}\n    }`
  return written.map((one) => `\n      ${one}${comment}`).join('')
}

/** RFC 7396, section 2. */
function merged(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const isMap = typeof target === 'object' && target !== null && !Array.isArray(target)
  const result: Record<string, unknown> = isMap ? { ...target } : {}
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name]
    else result[name] = merged(result[name], value)
  }
  return result
}
