//! Operations, one a file: the shape rule, the kernels, the method on `Var`.
