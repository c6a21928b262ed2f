// The members of the groups of a multivariant playlist, draft-pantos-hls-rfc8216bis 4.4.6.1.1: groups of one type offer
// the same, in different encodings, and players choose among their members by language and characteristics.
import type { Finding } from './finding.js'
import { attributeOf } from './playlist.js'
import type { MultivariantPlaylist, Variant } from './playlist.js'

/** The others may differ between groups: where it is, and how it is encoded. */
const SAME = ['LANGUAGE', 'ASSOC-LANGUAGE', 'DEFAULT', 'AUTOSELECT', 'FORCED', 'CHARACTERISTICS', 'INSTREAM-ID']
const CHOSEN_BY = ['LANGUAGE', 'ASSOC-LANGUAGE', 'FORCED', 'CHARACTERISTICS']

interface Group {
  readonly type: string
  readonly id: string
  readonly members: Variant[]
}

export function checkMembers({ renditions }: MultivariantPlaylist): readonly Finding[] {
  const groups = new Map<string, Group>()
  for (const rendition of renditions) {
    const [type = '', id = ''] = ['TYPE', 'GROUP-ID'].map((name) => attributeOf(rendition, name))
    const known = groups.get(`${type} ${id}`)
    if (known === undefined) groups.set(`${type} ${id}`, { type, id, members: [rendition] })
    else known.members.push(rendition)
  }
  const findings = [...groups.values()].flatMap(checkSelection)
  const firsts = new Map<string, Group>()
  for (const group of groups.values()) {
    const first = firsts.get(group.type)
    if (first === undefined) firsts.set(group.type, group)
    else findings.push(...compareGroups(first, group))
  }
  return findings
}

function checkSelection({ id, members }: Group): readonly Finding[] {
  const known = new Map<string, string>()
  for (const member of members) {
    if (attributeOf(member, 'AUTOSELECT') !== 'YES') continue
    const choice = CHOSEN_BY.map((name) => attributeOf(member, name) ?? '').join(' ')
    const name = attributeOf(member, 'NAME') ?? ''
    const other = known.get(choice)
    if (other !== undefined)
      return [{ rule: 'group-autoselect', seen: `${other} and ${name} in ${id}`, line: member.line }]
    known.set(choice, name)
  }
  return []
}

function compareGroups(first: Group, group: Group): readonly Finding[] {
  const [was, is] = [first, group].map(({ members }) => members.map(describe).sort())
  if (String(was) === String(is)) return []
  const seen = `${group.id} has ${is?.join('; ')}, ${first.id} has ${was?.join('; ')}`
  return [{ rule: 'group-sets', seen, ...(group.members[0] && { line: group.members[0].line }) }]
}

function describe(member: Variant): string {
  const attributes = SAME.map((name) => attributeOf(member, name)).filter((value) => value !== undefined)
  return [attributeOf(member, 'NAME'), ...attributes].join(' ')
}
