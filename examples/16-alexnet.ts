// AlexNet, the network that began it in 2012: five convolutions with local response norm, three layers; a pass and a step.
//
// Run:      npm run example 16-alexnet
// Expected: a table of the layers, 61,100,840 parameters; loss 6.91 = ln 1000 before the step and a little less after it; some seconds
import { crossEntropy, manualSeed, nn, noGrad, optim, randn, tensor } from 'chainrule';

manualSeed(0);
const norm = () => new nn.LocalResponseNorm(5, { alpha: 1e-4, beta: 0.75, k: 2 });
// The comments are the shapes of what comes out, for images [N, 3, 224, 224].
const features = new nn.Sequential(
  new nn.Conv2d(3, 64, 11, { stride: 4, padding: 2 }), // [N, 64, 55, 55]
  new nn.ReLU(),
  norm(), // loud channels quieten their neighbours
  new nn.MaxPool2d(3, { stride: 2 }), // [N, 64, 27, 27]
  new nn.Conv2d(64, 192, 5, { padding: 2 }), // [N, 192, 27, 27]
  new nn.ReLU(),
  norm(),
  new nn.MaxPool2d(3, { stride: 2 }), // [N, 192, 13, 13]
  new nn.Conv2d(192, 384, 3, { padding: 1 }), // [N, 384, 13, 13]
  new nn.ReLU(),
  new nn.Conv2d(384, 256, 3, { padding: 1 }), // [N, 256, 13, 13]
  new nn.ReLU(),
  new nn.Conv2d(256, 256, 3, { padding: 1 }), // [N, 256, 13, 13]
  new nn.ReLU(),
  new nn.MaxPool2d(3, { stride: 2 }), // [N, 256, 6, 6]
);
const classifier = new nn.Sequential(
  new nn.Flatten(), // [N, 9216]
  new nn.Dropout(0.5),
  new nn.Linear(9216, 4096),
  new nn.ReLU(),
  new nn.Dropout(0.5),
  new nn.Linear(4096, 4096),
  new nn.ReLU(),
  new nn.Linear(4096, 1000), // a score for each of ImageNet's classes
);
const model = new nn.Sequential(features, classifier);
console.log(`${nn.summary(model, [1, 3, 224, 224])}\n`);

const images = randn([2, 3, 224, 224]);
const classes = tensor([1, 2], { dtype: 'int32' });
const optimizer = new optim.SGD(model.parameters(), { lr: 0.01, momentum: 0.9, weightDecay: 5e-4 });
const loss = crossEntropy(model.forward(images), classes);
console.log(`loss before the step ${loss.item().toFixed(2)}`);
loss.backward();
optimizer.step();

model.eval(); // dropout is for training only
console.log(`loss after the step ${noGrad(() => crossEntropy(model.forward(images), classes).item()).toFixed(2)}`);
