//! Where modules come from and where they are kept: proxies, version control, zips, the shared module cache, toolchains.
