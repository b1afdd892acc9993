package oracle

// For tests from outside.
var Along = (*Program).along
