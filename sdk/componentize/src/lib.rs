//! A core module becomes a component with its manifest.
