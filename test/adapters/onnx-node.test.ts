import { createOnnxNodeEngine } from '../../adapters/onnx-node/engine.ts'
import { describeEngine } from '../contract/engine.contract.ts'

describeEngine('onnx-node on cpu', () => createOnnxNodeEngine(), { provider: 'cpu' })
