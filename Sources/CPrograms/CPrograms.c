// SPDX-License-Identifier: Apache-2.0
#include "CPrograms.h"
