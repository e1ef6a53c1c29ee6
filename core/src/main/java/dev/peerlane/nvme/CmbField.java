package dev.peerlane.nvme;

/**
 * One field of a register, as read.
 *
 * @param register the register's name, such as {@code CMBSZ}
 * @param field the field's name in the specification, such as {@code SZU}
 * @param bits its bits, such as {@code 11:8}
 * @param value its raw value
 * @param meaning the value in words
 */
public record CmbField(String register, String field, String bits, long value, String meaning) {}
