/** The public API of isoplex: what a function file imports. */
export { createServeMultiplexedModelId } from './auth/synapse-token.ts'
export type { ActionDefinition, ActionOptions, ActionResult } from './define/action.ts'
export { defineAction } from './define/action.ts'
export type {
  ActionContext,
  Checkpoint,
  FileContent,
  InferOptions,
  JobFileFacts,
  JobFiles,
  MessageLevel,
} from './define/action-context.ts'
export type {
  Awaitable,
  FetchedInput,
  FunctionLog,
  InputFetchOptions,
  ModelContext,
  ModelInfo,
  RawRequest,
  RequestContext,
  RunnerContext,
} from './define/context.ts'
export type { Definition, FunctionTypes, SetupContext } from './define/definition.ts'
export type {
  DeploymentOptions,
  DeploymentParams,
  DeploymentResult,
  DeploymentStep,
  DeploymentStepDefinition,
} from './define/deployment.ts'
export { defineDeployment, defineDeploymentStep, deploymentParams } from './define/deployment.ts'
export type {
  DeployedServe,
  DeploymentContext,
  DeploymentFields,
  DeploymentMembers,
  DeploymentModel,
  DeploymentStepContext,
  DeployOptions,
  RayCluster,
  RayInitOptions,
  RegisterOptions,
  ServeReplicas,
} from './define/deployment-context.ts'
export type { ServeApplicationId } from './define/deployment-facts.ts'
export type { FileValue } from './define/file-value.ts'
export { fileValue } from './define/file-value.ts'
export type { FunctionContext, FunctionDefinition, HandlerResult } from './define/function.ts'
export { defineFunction } from './define/function.ts'
export type { GraphDefinition } from './define/graph.ts'
export { defineGraph, input } from './define/graph.ts'
export type { Each, Edge, EdgeOf, Resolved, Wired } from './define/graph-edge.ts'
export { each } from './define/graph-edge.ts'
export type { DeriveContext, HandledFunction, NodeFunction, NodeOptions } from './define/graph-node.ts'
export { bind, derive, handle, when } from './define/graph-node.ts'
export type {
  AnyIterable,
  CallOptions,
  FunctionHandle,
  HandleOptions,
  HandleRequest,
  OpenHandle,
} from './define/handle.ts'
export type {
  BatchContext,
  BatchedInference,
  InferenceContext,
  InferenceResult,
  SingleInference,
} from './define/inference.ts'
export { defineInference } from './define/inference.ts'
export { loggedStep } from './define/logged-step.ts'
export type { ModelLoader, MultiplexedOptions, OnnxModel, OnnxOptions } from './define/model.ts'
export { multiplexed, onnx } from './define/model.ts'
export { modelId } from './define/model-id.ts'
export type { BatchOptions, FunctionOptions, FunctionSchemas, Method, Place } from './define/options.ts'
export type { FileOptions, FileSchema, TensorSchema } from './define/schema.ts'
export { file, tensorOf } from './define/schema.ts'
export type {
  ConcludeContext,
  CurrentStep,
  JsonRecord,
  Step,
  StepContext,
  StepDefinition,
  StepFields,
  StepOutcome,
  StepRecord,
  StepResult,
} from './define/step.ts'
export { defineStep } from './define/step.ts'
export type { StepRegistry } from './define/step-registry.ts'
export { createStepRegistry } from './define/step-registry.ts'
export { timedStep } from './define/timed-step.ts'
export { validationStep } from './define/validation-step.ts'
export type { DeviceTensor } from './engine/device-tensor.ts'
export type { Engine, Provider, Session, SessionOptions, TensorFacts, Tensors } from './engine/engine.ts'
export type { NestedElements, TensorArrays, TensorElement, TensorType } from './engine/tensor.ts'
export { Tensor, tensor } from './engine/tensor.ts'
export type { ErrorCode, ErrorDetails } from './error/codes.ts'
export { errorCodes } from './error/codes.ts'
export { IsoplexError, isIsoplexError } from './error/error.ts'
