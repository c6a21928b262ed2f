// Everything at a glance: each pipeline with its graph where there are few, else a row for each.
import { element } from './dom.js'
import { nodeRows, pipelineRows } from './model/index.js'
import { serviceTable } from './node-table.js'
import { PipelineSection } from './pipeline-view.js'
import { pipelinesTable } from './pipelines-table.js'
import type { View } from './view.js'

/** More pipelines are rows. */
const MOST_SECTIONS = 3
const OTHERS = new Set(['services', 'listeners'])

export function overview(): View {
  const table = pipelinesTable()
  const pipelines = element('section', {}, element('h2', {}, 'Pipelines'), table.element)
  const sections = element('div')
  const others = serviceTable('Services and listeners')
  const services = element('section', {}, element('h2', {}, 'Services and listeners'), others.element)
  const byName = new Map<string, PipelineSection>()
  return {
    title: 'Overview',
    needsViewers: true,
    element: element('div', {}, pipelines, sections, services),
    update(next) {
      const { model, nowMs } = next
      const rows = pipelineRows(model, nowMs)
      const own = rows.filter(({ isPattern }) => !isPattern).map(({ name }) => name)
      const names = own.length <= MOST_SECTIONS ? own : []
      pipelines.hidden = rows.length === names.length && rows.length > 0
      table.show(rows)
      for (const [name, section] of byName) {
        if (names.includes(name)) continue
        section.element.remove()
        byName.delete(name)
      }
      for (const name of names) {
        const section = byName.get(name) ?? new PipelineSection(name)
        if (!byName.has(name)) sections.append(section.element)
        byName.set(name, section)
        section.update(next)
      }
      const rest = nodeRows(model, undefined, nowMs).filter(({ node }) => OTHERS.has(node?.pipeline ?? ''))
      services.hidden = rest.length === 0
      others.show(rest)
    },
  }
}
