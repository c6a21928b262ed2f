// Pipelines and services: each pipeline has a container, a child of that of the engine, and each node a child of that.
import type { Pipeline } from '../graph/graph.js'
import { PIPELINE } from '../plugin/tokens.js'
import { ListenerRunner } from '../run/node/listener-runner.js'
import { ServiceRunner } from '../run/node/service-runner.js'
import { PipelineRunner } from '../run/pipeline/pipeline-runner.js'
import { createNode } from '../run/pipeline/wiring.js'
import { viewersOf } from '../run/status-view.js'
import { nodeServices } from './node-container.js'
import type { RunnerFactory } from './runner-factory.js'
import type { ServiceContainer } from './service-container.js'
import { AUDIENCES, ENGINE_CLOCK, HTTP_LISTENERS, ROUTES } from './service-keys.js'

export function runnerFactory(engine: ServiceContainer): RunnerFactory {
  const services = nodeServices(engine)
  return {
    createPipeline: (pipeline) => createPipeline(engine, pipeline),
    createService: (settings, placement) =>
      settings.definition.kind === 'listener'
        ? new ListenerRunner(settings, services, engine.get(HTTP_LISTENERS), placement)
        : new ServiceRunner(settings, services, placement),
  }
}

function createPipeline(engine: ServiceContainer, pipeline: Pipeline): PipelineRunner {
  const services = nodeServices(engine.child().value(PIPELINE, pipeline.name))
  const [audiences, routes] = [engine.get(AUDIENCES), engine.get(ROUTES)]
  return new PipelineRunner(pipeline, {
    clock: engine.get(ENGINE_CLOCK),
    createNode: (settings, placement) => createNode(settings, services, placement),
    viewersOf: (id) => viewersOf(audiences.of(id), routes.routeOf(id)),
  })
}
